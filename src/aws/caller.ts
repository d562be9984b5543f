/** Who calls AWS, and how: a role, its credentials, and the settings of every call. */
import type { HttpAnswer } from '../http-request.ts';
import type { Connection } from './connection.ts';
import type { Regions } from './failover.ts';

export interface Credentials {
  readonly accessKeyId: string;
  /** Secret. */
  readonly secretAccessKey: string;
  /** Secret. */
  readonly sessionToken: string;
  /** From the answer of AWS STS. */
  readonly expiration?: Date;
}

/** A tag of a role's session. Policies read it as `aws:PrincipalTag/KEY`. */
export interface SessionTag {
  readonly key: string;
  readonly value: string;
  /** Whether not only the last role has it, but every role of the chain that is assumed from another one. */
  readonly transitive: boolean;
}

export interface Role {
  readonly arn: string;
  /** The roles before it in a chain, each assumed from the one before. */
  readonly through: readonly string[];
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** Of GitHub's OIDC token; absent if GitHub is not asked: on a host, with a token file, with `force-skip-oidc`. */
  readonly audience: string | undefined;
  /** Path of a token file that is used instead of GitHub's token. It is read for each session: such files are rewritten. */
  readonly tokenFile?: string | undefined;
  /** `force-skip-oidc`: whether the credentials of the environment assume the first role, even if a token is available. */
  readonly skipsOidc?: boolean | undefined;
  readonly externalId: string | undefined;
  /** The session policy. `auto`: the session may only read the references. Or the user's own JSON. */
  readonly policy: 'auto' | 'none' | { readonly json: string };
  /** ARNs. The last session may do what `policy` or one of these allows, if the role may do it. */
  readonly managedPolicies?: readonly string[] | undefined;
  /** Absent if a token assumes the last role. */
  readonly tags?: readonly SessionTag[] | undefined;
}

/** Its Regions are for STS, and for references without a Region. */
export interface Caller extends Regions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly connection: Connection;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Called with each secret before it is used. */
  readonly mask: (...secrets: readonly string[]) => void;
  readonly say: (line: string) => void;
  /** The answer to a request for an OIDC token that was sent before; undefined if there is none, or if it was taken. */
  readonly early?: (() => Promise<HttpAnswer> | undefined) | undefined;
  readonly debug?: (line: string) => void;
}
