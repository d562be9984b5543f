/** Credentials, Region and settings for AWS calls about EC2 hosts. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Connection } from '../aws/connection.ts';
import type { Renewable } from '../aws/renewing.ts';

export interface Ec2Caller extends Renewable {
  readonly region: string;
  /** Called again when the credentials have expired. Absent: the connection's own, the default credential chain. */
  readonly credentials?: AwsCredentialIdentityProvider | undefined;
  readonly connection: Connection;
  /** Aborts the calls, with a Failure as its reason. */
  readonly signal: AbortSignal;
}
