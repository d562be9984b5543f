/** The name of the passphrase or the certificate of a key, wherever it is written. Pure. */
import { Failure } from '../errors.ts';
import { parseReference, type Reference } from './reference.ts';

export type StoredPart = 'passphrase' | 'certificate';

interface Written {
  /** What the message says of the setting or the option. */
  readonly problem: string;
  /** What stands before the name where it is written: `passphrase=`, for example. */
  readonly before?: string;
}

/**
 * The value may be the passphrase itself, so neither the error nor its cause repeats it.
 *
 * @throws INPUT_INVALID
 */
export function parseStoredPart(
  part: StoredPart,
  text: string,
  { problem, before = '' }: Written,
): Reference {
  try {
    return parseReference(text);
  } catch {
    throw new Failure('INPUT_INVALID', problem, {
      hint: `write ${before}/NAME or ${before}secretsmanager:NAME, where the ${part} is stored`,
    });
  }
}
