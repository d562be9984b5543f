/** Values of options that more than one command takes. Pure. */
import { Failure } from '../../src/errors.ts';
import { parseKeyLine, type KeyLine, type StoredKeyLine } from '../../src/keys/key-line.ts';
import { parseLifetime } from '../../src/keys/lifetime.ts';
import { parseAccount, type Account } from './account.ts';
import { invalid } from './parse.ts';
import { parseReference, type Reference } from '../../src/keys/reference.ts';
import { beginsAsGitToken } from '../../src/keys/secret-text.ts';
import { parseCacheAddress } from '../../src/secrets/cache-address.ts';
import { requireStored } from '../../src/keys/stored-line.ts';

/**
 * For commands that read keys.
 *
 * @throws INPUT_INVALID naming the place
 */
export function parseKey(text: string, place: string): StoredKeyLine {
  return inPlace(place, () => requireStored(parseKeyLine(text)));
}

/** Also a key in KMS, or one with `ca=`. @throws INPUT_INVALID naming the place */
export function parseAnyKey(text: string, place: string): KeyLine {
  return inPlace(place, () => parseKeyLine(text));
}

function inPlace<T>(place: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, `${place}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

/** For commands that may read keys through a cache, which has credentials of its own. @throws INPUT_INVALID */
export function parseCachedAccount(
  values: Parameters<typeof parseAccount>[0] & { readonly cache: string | undefined },
): Account & { readonly cache: URL | undefined } {
  const account = parseAccount(values);
  if (values.cache === undefined) return { ...account, cache: undefined };
  const other =
    account.roles.length > 0 ? '--role-arn' : account.profile !== undefined ? '--profile' : undefined;
  if (other === undefined) return { ...account, cache: parseCacheAddress(values.cache, '--cache') };
  throw invalid(
    `--cache and ${other} do not go together: the cache reads with credentials of its own`,
    'leave one of them out',
  );
}

/** @returns seconds; 0 for no limit */
export function parseDuration(option: string, text: string): number {
  const seconds = parseLifetime(text);
  if (seconds !== undefined) return seconds;
  throw invalid(`${option} is not a duration: "${text}"`, 'write 90s, 15m, 6h, or 0 for no limit');
}

/**
 * @param place where it is written, for the message
 * @throws INPUT_INVALID
 */
export function parseCredentialReference(text: string, place: string): Reference {
  if (beginsAsGitToken(text)) {
    throw new Failure('INPUT_INVALID', `${place} has a token itself, where its name in AWS belongs`, {
      hint: 'store the token with aws ssm put-parameter, write its name here, and replace the token',
    });
  }
  try {
    return parseReference(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // The text may be the password itself: it is not repeated.
    throw new Failure(error.code, `${place} is not the name of a parameter or a secret`, {
      hint: 'write /NAME, secretsmanager:NAME[:json-key], or the ARN of a parameter or a secret, where the credential is stored',
    });
  }
}
