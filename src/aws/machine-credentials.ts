/** The default credential chain, with more patience for the machine's own metadata than the AWS SDK has. */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { AwsCredentialIdentityProvider } from '@smithy/types';

/**
 * Of one request to the instance metadata, in milliseconds; and how often it is made again. The SDK's own second is over
 * before a busy machine, on which dozens of connections begin at once, comes to read the answer.
 */
const patience = { timeout: 3_000, maxRetries: 2 } as const;

/** One for all clients of a process: it asks again only when what it has is about to expire. */
export function machineCredentials(): AwsCredentialIdentityProvider {
  return defaultProvider(patience);
}
