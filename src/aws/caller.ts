/** As whom AWS is asked, and how: a role, its credentials, and what every call is made with. */
import type { Connection } from './connection.ts';
import type { Regions } from './failover.ts';

export interface Credentials {
  readonly accessKeyId: string;
  /** Secret. */
  readonly secretAccessKey: string;
  /** Secret. */
  readonly sessionToken: string;
  /** As AWS STS says it. */
  readonly expiration?: Date;
}

/** Of a role's session; policies read it as `aws:PrincipalTag/KEY`. */
export interface SessionTag {
  readonly key: string;
  readonly value: string;
  /** Whether the roles on the way to the last one have it, too: from the first that is assumed from another role. */
  readonly transitive: boolean;
}

export interface Role {
  readonly arn: string;
  /** The roles on the way to it, each assumed from the one before. */
  readonly through: readonly string[];
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** Of the OIDC token; absent where no token is asked for: on a host, with a token file, with `force-skip-oidc`. */
  readonly audience: string | undefined;
  /** A path. Its token takes the place of GitHub's. It is read for each session: such files are written anew. */
  readonly tokenFile?: string | undefined;
  /** In a job, whether the first role is asked for without a token on purpose. */
  readonly skipsOidc?: boolean | undefined;
  readonly externalId: string | undefined;
  /** Of the session: `auto` lets it do no more than read the references; or the user's own JSON. */
  readonly policy: 'auto' | 'none' | { readonly json: string };
  /** ARNs. What the last session may do is what `policy` and these allow, as far as the role may do it. */
  readonly managedPolicies?: readonly string[] | undefined;
  /** None where the last role is asked for with a token. */
  readonly tags?: readonly SessionTag[] | undefined;
}

/** Its regions are those of STS, and of references that name none. */
export interface Caller extends Regions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly connection: Connection;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Called with each secret before anything else happens with it. */
  readonly mask: (secret: string) => void;
  readonly say: (line: string) => void;
}
