/** Converts stored secrets to a key: decrypts, checks and masks them. */
import { Failure, type Code } from '../errors.ts';
import { parseCertificate, type Certificate } from '../keys/certificate.ts';
import { decryptKey } from '../keys/encrypted-key.ts';
import { explainJson } from '../keys/json-secret.ts';
import type { StoredKeyLine } from '../keys/key-line.ts';
import { writeOpensshKey } from '../keys/openssh-key.ts';
import { linesToMask, parsePrivateKey, type PrivateKey } from '../keys/private-key.ts';
import { fingerprint } from '../keys/public-key.ts';
import type { Reference, SecretReference } from '../keys/reference.ts';
import type { RoutedKey } from '../keys/routes.ts';
import type { Secret } from '../secrets/source.ts';
import type { Voice } from './voice.ts';

/** A key and its repositories. */
export interface LoadedKey extends PrivateKey, RoutedKey {
  readonly secret: Secret;
  readonly certificate?: Certificate;
}

/** Masks all secret text before it does anything else. */
export async function openKey(
  line: StoredKeyLine,
  secrets: readonly Secret[],
  voice: Pick<Voice, 'mask' | 'warn'>,
): Promise<LoadedKey> {
  const { text } = line.reference;
  const secret = stored(line.reference, secrets);
  const passphrase = line.passphrase && stored(line.passphrase, secrets);
  const spoken = passphrase?.text.trim();
  if (spoken) voice.mask(spoken);
  const known = new Set(linesToMask(secret.text));
  voice.mask(...known);
  const open = passphrase ? await decryptKey(secret.text, passphrase.text, text) : secret.text;
  const key = parseStoredKey({ reference: line.reference, text: open });
  // The same key in OpenSSH's format, which other tools may print.
  voice.mask(...linesToMask(writeOpensshKey(key)).filter((masked) => !known.has(masked)));
  const certificate =
    line.certificate && openCertificate(stored(line.certificate, secrets), key, { text, ...voice });
  for (const one of [secret, passphrase ?? []].flat()) warnOfPlainText(one, voice);
  return {
    ...key,
    secret,
    repositories: line.repositories,
    fingerprint: fingerprint(key.publicKey),
    ...(certificate && { certificate }),
  };
}

export function warnOfPlainText({ reference, encrypted }: Secret, { warn }: Pick<Voice, 'warn'>): void {
  if (encrypted) return;
  warn(
    `the parameter ${reference.text} is a plain String: store it again as a SecureString, and replace what it holds`,
  );
}

/** An expired certificate is only a warning: the host's clock decides, not this machine's. */
function openCertificate(
  { text, reference }: Secret,
  key: PrivateKey,
  { text: resource, warn }: Pick<Voice, 'warn'> & { readonly text: string },
): Certificate {
  const certificate = parseCertificate(text, reference.text, { publicKey: key.publicKey, resource });
  const now = Date.now() / 1000;
  const date = (seconds: number): string => new Date(seconds * 1000).toISOString();
  if (now >= certificate.validUntil) {
    warn(
      `the certificate in ${reference.text} expired at ${date(certificate.validUntil)}: sign the key again`,
    );
  }
  if (now < certificate.validFrom) {
    warn(`the certificate in ${reference.text} is not valid before ${date(certificate.validFrom)}`);
  }
  return certificate;
}

export function stored(reference: Reference, secrets: readonly Secret[]): Secret {
  const secret = secrets.find((candidate) => candidate.reference === reference);
  if (!secret) throw new TypeError('a reference has no secret');
  return secret;
}

/** Problems that are fixed by storing the key again. */
const storedBadly: ReadonlySet<Code> = new Set(['KEY_EMPTY', 'KEY_MALFORMED', 'KEY_NOT_DECRYPTED']);

/** @throws the errors of parsePrivateKey, with hints for the key's store */
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
