/** Stores a value as a new version of a parameter or a secret. */
import type { NewVersion, StoredVersion, WriteOptions } from './new-version.ts';
import { writeParameter } from './write-parameter.ts';

/**
 * @throws INPUT_INVALID if it exists and must not be overwritten, or the store does not accept a name or a value;
 *   KEY_ACCESS_DENIED, KMS_ACCESS_DENIED, KMS_KEY_UNUSABLE, KEY_NOT_FOUND, and the failures of any call
 */
export async function writeVersion(wanted: NewVersion, options: WriteOptions): Promise<StoredVersion> {
  const { reference } = wanted;
  if (reference.kind === 'parameter') return await writeParameter({ ...wanted, reference }, options);
  // The client of Secrets Manager is only loaded for secrets.
  const { writeSecret } = await import('./write-secret.ts');
  return await writeSecret({ ...wanted, reference }, options);
}
