/** Decrypts a private key with a passphrase, in memory only. Pure. */
import { createDecipheriv, createPrivateKey, type CipherGCMTypes, type PrivateKeyInput } from 'node:crypto';
import { Failure } from '../errors.ts';
import { derivationWork } from './key-derivation.ts';
import { isOpensshKey, keyFailures, readEnvelope, writeEnvelope, type Envelope } from './openssh-key.ts';
import { storedBlock } from './private-key.ts';
import { WireReader } from './wire.ts';

/**
 * @param value the stored text; returned unchanged if it is not an encrypted key
 * @param passphrase as stored; a line end at its end is ignored
 * @returns text for parsePrivateKey
 * @throws PASSPHRASE_WRONG, KEY_UNSUPPORTED, KEY_MALFORMED
 */
export async function decryptKey(value: string, passphrase: string, resource: string): Promise<string> {
  const block = storedBlock(value);
  const secret = Buffer.from(passphrase.replace(/\r?\n$/, ''));
  if (!block) return value;
  const { label, headers, body } = block;
  if (label === 'OPENSSH PRIVATE KEY') {
    const bytes = Buffer.from(body, 'base64');
    if (!isOpensshKey(bytes)) return value;
    try {
      return await decryptOpensshKey(readEnvelope(bytes, resource), secret, resource);
    } catch (error) {
      // A truncated field or block: a RangeError of the reader, or an error of OpenSSL.
      throw error instanceof Failure ? error : keyFailures.malformed(resource, error);
    }
  }
  if (label === 'ENCRYPTED PRIVATE KEY') {
    // Node reads past other characters.
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) throw keyFailures.malformed(resource, undefined);
    const key = Buffer.from(body, 'base64');
    checkWork(key, resource);
    return openPem({ key, format: 'der', type: 'pkcs8', passphrase: secret }, resource);
  }
  if (headers === '') return value;
  const lines = [headers, '', ...(body.match(/.{1,64}/g) ?? [])];
  const key = [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
  return openPem({ key, passphrase: secret }, resource);
}

function openPem(key: PrivateKeyInput, resource: string): string {
  try {
    return createPrivateKey(key).export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch (error) {
    // About one wrong passphrase in 256 gives valid padding. Then OpenSSL's decoder finds no key.
    if (/(?<!DECODER routines::)unsupported/i.test(String(error)))
      throw keyFailures.unsupported(resource, 'has an unknown cipher');
    throw wrong(resource, error);
  }
}

/** Iterations, which cannot be aborted: so many take some seconds. OpenSSL's tools write 2,048, and careful people a million. */
const mostWork = 10_000_000n;

function checkWork(der: Buffer, resource: string): void {
  let work;
  try {
    work = derivationWork(der);
  } catch (error) {
    throw keyFailures.malformed(resource, error);
  }
  if (work > mostWork)
    throw keyFailures.unsupported(resource, `asks for ${shortly(work)} rounds of key derivation`);
}

/** The number may be as long as the stored value. */
function shortly(number: bigint): string {
  return number < 2n ** 63n ? String(number) : `more than ${2n ** 63n}`;
}

/** Limit of bcrypt rounds. Each takes tens of milliseconds and cannot be aborted; a damaged key may ask for millions. */
const mostRounds = 2_000;

/** @source openssh-portable, PROTOCOL.key */
async function decryptOpensshKey(envelope: Envelope, secret: Buffer, resource: string): Promise<string> {
  const { cipher, kdf, kdfOptions, blob } = envelope;
  if (cipher === 'none') return writeEnvelope(blob, envelope.section);
  const [name, keyLength, ivLength] = ciphers[cipher] ?? [];
  if (kdf !== 'bcrypt' || name === undefined || keyLength === undefined || ivLength === undefined) {
    // In a damaged key, the bytes at this place may be of the key itself.
    const isName = /^[\x21-\x7e]{1,40}$/.test(cipher);
    throw keyFailures.unsupported(resource, isName ? `has the cipher ${cipher}` : 'has an unknown cipher');
  }
  const options = new WireReader(kdfOptions);
  const [salt, rounds] = [options.string(), options.uint32()];
  if (rounds > mostRounds) throw keyFailures.unsupported(resource, `asks for ${rounds} rounds of bcrypt`);
  const { default: bcrypt } = await import('bcrypt-pbkdf');
  const derived = Buffer.alloc(keyLength + ivLength);
  const failed =
    bcrypt.pbkdf(secret, secret.length, salt, salt.length, derived, derived.length, rounds) !== 0;
  if (failed) throw wrong(resource, undefined); // An empty passphrase.
  const section = decipher(name, derived.subarray(0, keyLength), derived.subarray(keyLength), envelope);
  const [check, again] = [section?.subarray(0, 4), section?.subarray(4, 8)];
  if (!section || !check || !again?.equals(check)) throw wrong(resource, undefined);
  return writeEnvelope(blob, section);
}

/** ssh's cipher names → OpenSSL's, with the length of the key and of the initial vector in bytes (openssh cipher.c). */
const ciphers: Readonly<Record<string, readonly [name: string, key: number, iv: number]>> = {
  'aes128-ctr': ['aes-128-ctr', 16, 16],
  'aes192-ctr': ['aes-192-ctr', 24, 16],
  'aes256-ctr': ['aes-256-ctr', 32, 16],
  'aes128-cbc': ['aes-128-cbc', 16, 16],
  'aes256-cbc': ['aes-256-cbc', 32, 16],
  'aes128-gcm@openssh.com': ['aes-128-gcm', 16, 12],
  'aes256-gcm@openssh.com': ['aes-256-gcm', 32, 12],
};

/** @returns undefined if the authentication tag shows a wrong key; other ciphers show it in the decrypted text */
function decipher(
  ...[name, key, iv, { section, tag }]: [string, Buffer, Buffer, Envelope]
): Buffer | undefined {
  if (!name.endsWith('-gcm')) {
    const cipher = createDecipheriv(name, key, iv).setAutoPadding(false);
    return Buffer.concat([cipher.update(section), cipher.final()]);
  }
  try {
    const gcm = createDecipheriv(name as CipherGCMTypes, key, iv, { authTagLength: 16 }).setAuthTag(tag);
    return Buffer.concat([gcm.update(section), gcm.final()]);
  } catch {
    return undefined;
  }
}

function wrong(resource: string, cause: unknown): Failure {
  return new Failure('PASSPHRASE_WRONG', `the passphrase does not open the private key in ${resource}`, {
    hint: 'check which parameter or secret passphrase= names, and that it holds only the passphrase',
    cause,
  });
}
