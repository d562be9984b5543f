/** As whom, and how, AWS is asked about EC2 hosts. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Connection } from '../aws/connection.ts';

export interface Ec2Caller {
  readonly region: string;
  /** Asked again when what it gave has expired. Absent: the connection's own, the default chain. */
  readonly credentials?: AwsCredentialIdentityProvider | undefined;
  readonly connection: Connection;
  /** Ends what is under way, with a Failure as its reason. */
  readonly signal: AbortSignal;
}
