/** The client of KMS, and what it is called with. Importing this file loads the AWS SDK. */
import { KMSClient } from '@aws-sdk/client-kms';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Connection } from '../aws/connection.ts';
import type { Renewable } from '../aws/renewing.ts';
import { retries } from '../aws/retries.ts';
import type { Credentials } from '../aws/caller.ts';
import type { Regions } from '../aws/failover.ts';
import type { KmsReference } from '../keys/key-reference.ts';

export interface KmsPlace extends Renewable {
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

/** For signatures: says at once that the rate is limited. Whoever signs waits less than the AWS SDK, and knows for how long. */
export function signingClient(place: KmsPlace, region: string): KMSClient {
  const { connection } = place;
  const limits = { maxAttempts: connection.maxAttempts, throttledAttempts: 1 };
  return kmsClient({ ...place, connection: { ...connection, ...retries(limits) } }, region);
}

/** A key that is an ARN is asked in its own Region. */
export function regionsFor({ location }: KmsReference, regions: Regions): Regions {
  return location ? { ...regions, regions: [location.region] } : regions;
}
