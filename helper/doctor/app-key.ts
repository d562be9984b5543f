/** Asks KMS whether it would sign with the key of a GitHub App. Importing this file loads the AWS SDK. */
import { Failure } from '../../src/errors.ts';
import type { KmsReference } from '../../src/keys/key-reference.ts';
import { appActions, forApp } from '../../src/kms/app-signature.ts';
import { requireSigning } from '../../src/kms/dry-run.ts';
import type { AwsAccess } from './aws-access.ts';
import type { Place } from './wanted.ts';

/** @throws KEY_NOT_FOUND, KEY_ACCESS_DENIED, KMS_KEY_UNUSABLE, KEY_UNSUPPORTED, and the failures of any call */
export async function requireAppKey(
  reference: KmsReference,
  place: Place,
  { access, signal }: { readonly access: AwsAccess; readonly signal: AbortSignal },
): Promise<void> {
  const { caller, region: here, credentials } = await access.reader(place);
  const { connection } = caller;
  const region = reference.location?.region ?? here;
  try {
    await requireSigning(reference, {
      ...{ connection, region, signal, algorithm: 'rsa-sha2-256', actions: appActions },
      ...(credentials && { credentials }),
    });
  } catch (error) {
    signal.throwIfAborted();
    const explained = connection.troubles.explain(error);
    throw explained instanceof Failure ? forApp(explained, reference) : explained;
  }
}
