/** Keys of the local KMS, as hosts register them. */
import { createPublicKey } from 'node:crypto';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { readSpki } from '../../src/keys/spki.ts';
import type { SigningKey } from './aws/kms/signing-keys.ts';

/** The line for the list of deploy keys. */
export function publicKeyOf({ privateKey, arn }: SigningKey): string {
  if (!privateKey) throw new Error(`${arn} has no material`);
  const key = readSpki(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  if (!key) throw new Error(`${arn} is not a key of SSH`);
  return authorizedKeysLine({ ...key, comment: arn });
}
