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

export interface Role {
  readonly arn: string;
  /** The roles on the way to it, each assumed from the one before. */
  readonly through: readonly string[];
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** Of the OIDC token; absent where the role is asked for with what the default credential chain finds. */
  readonly audience: string | undefined;
  readonly externalId: string | undefined;
  /** Of the session: `auto` lets it do no more than read the references; or the user's own JSON. */
  readonly policy: 'auto' | 'none' | { readonly json: string };
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
