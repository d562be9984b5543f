/** A secret as it is stored → the private key in it. */
import { Failure, type Code } from '../errors.ts';
import { explainJson } from '../keys/json-secret.ts';
import { parsePrivateKey, type PrivateKey } from '../keys/private-key.ts';
import type { SecretReference } from '../keys/reference.ts';
import type { Secret } from '../secrets/source.ts';

/** What storing the key again mends. */
const storedBadly: ReadonlySet<Code> = new Set(['KEY_EMPTY', 'KEY_MALFORMED', 'KEY_NOT_DECRYPTED']);

/** @throws as parsePrivateKey, with hints for the store that the key is in */
export function parseStoredKey({ reference, text }: Pick<Secret, 'reference' | 'text'>): PrivateKey {
  try {
    return parsePrivateKey(text, reference.text);
  } catch (error) {
    if (!(error instanceof Failure) || reference.kind !== 'secret') throw error;
    throw explainJson(storedBadly.has(error.code) ? storeAgain(error, reference) : error, text, reference);
  }
}

function storeAgain(failure: Failure, { name, jsonKey }: SecretReference): Failure {
  const where = jsonKey === '' ? '' : `, as the string at "${jsonKey}" of its JSON`;
  return new Failure(failure.code, failure.message, {
    hint: `store the whole file of one key there${where}: aws secretsmanager put-secret-value --secret-id ${name} --secret-string file://FILE`,
    cause: failure,
  });
}
