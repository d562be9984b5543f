/** The default credential chain, for all clients of a process. */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import { metadataPatience } from './metadata-patience.ts';

/** It asks again only when what it has is about to expire. */
export function machineCredentials(): AwsCredentialIdentityProvider {
  return defaultProvider({ timeout: metadataPatience(), maxRetries: 2 });
}
