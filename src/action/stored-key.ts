/** A secret as it is stored → the private key in it. */
import { Failure } from '../errors.ts';
import { explainJson } from '../keys/json-secret.ts';
import { parsePrivateKey, type PrivateKey } from '../keys/private-key.ts';
import type { Secret } from '../secrets/source.ts';

/** @throws as parsePrivateKey; for JSON that is no key by itself the hint names what is in it */
export function parseStoredKey({ reference, text }: Pick<Secret, 'reference' | 'text'>): PrivateKey {
  try {
    return parsePrivateKey(text, reference.text);
  } catch (error) {
    if (!(error instanceof Failure) || reference.kind !== 'secret') throw error;
    throw explainJson(error, text, reference);
  }
}
