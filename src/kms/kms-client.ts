/** The client of KMS, and what it is called with. Importing this file loads the AWS SDK. */
import { KMSClient } from '@aws-sdk/client-kms';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Connection } from '../aws/connection.ts';
import type { Credentials } from '../aws/caller.ts';

export interface KmsPlace {
  readonly connection: Connection;
  /** A provider is asked again when its credentials end. Absent: the AWS SDK's default chain. */
  readonly credentials?: Credentials | AwsCredentialIdentityProvider;
  /** For references that are not ARNs. */
  readonly region: string;
}

/** @param region of the key */
export function kmsClient({ connection, credentials }: KmsPlace, region: string): KMSClient {
  return new KMSClient({ region, ...connection, ...(credentials && { credentials }) });
}
