/** Reads and writes OpenSSH's private key format, `openssh-key-v1`. Pure. */
import { Failure } from '../errors.ts';
import { areWhole, isKnownType, publicBlob, readFields, unusable } from './key-fields.ts';
import type { PublicKey } from './public-key.ts';
import { joinFields, string, uint32, WireReader } from './wire.ts';

/** @source openssh-portable, PROTOCOL.key */
const magic = Buffer.from('openssh-key-v1\0');
const label = 'OPENSSH PRIVATE KEY';

export function isOpensshKey(bytes: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic);
}

export interface OpensshKey {
  readonly publicKey: PublicKey;
  /** The fields between the type and the comment of the private section, in order. Secret. */
  readonly fields: readonly Buffer[];
}

/**
 * Reads an unencrypted key and checks that it is complete.
 *
 * @param resource name of the key in messages
 * @throws KEY_ENCRYPTED, KEY_UNSUPPORTED, KEY_MALFORMED
 */
export function readOpensshKey(bytes: Buffer, resource: string): OpensshKey {
  const { cipher, blob, section } = readEnvelope(bytes, resource);
  try {
    const type = new WireReader(blob).string().toString();
    checkType(type, resource);
    if (cipher !== 'none') throw encrypted(resource);
    const { fields, comment } = readPrivateSection(section, type);
    const key = { publicKey: { type, blob, comment }, fields };
    requireWhole(key, resource);
    return key;
  } catch (error) {
    if (error instanceof RangeError) throw malformed(resource, error);
    throw error;
  }
}

/** The file's outer layer, which encrypted keys have, too. */
export interface Envelope {
  readonly cipher: string;
  readonly kdf: string;
  readonly kdfOptions: Buffer;
  /** The public key. */
  readonly blob: Buffer;
  /** The private section, encrypted with the cipher. */
  readonly section: Buffer;
  /** The authentication tag after the section; empty for other ciphers. */
  readonly tag: Buffer;
}

/** @throws KEY_MALFORMED, KEY_UNSUPPORTED */
export function readEnvelope(bytes: Buffer, resource: string): Envelope {
  try {
    const file = new WireReader(bytes.subarray(magic.length));
    const [cipher, kdf] = [file.string().toString(), file.string().toString()];
    const kdfOptions = file.string();
    if (file.uint32() !== 1) throw unsupported(resource, 'holds more than one key');
    const [blob, section] = [Buffer.from(file.string()), file.string()];
    return { cipher, kdf, kdfOptions, blob, section, tag: file.rest };
  } catch (error) {
    if (error instanceof RangeError) throw malformed(resource, error);
    throw error;
  }
}

function readPrivateSection(
  section: Buffer,
  type: string,
): Omit<OpensshKey, 'publicKey'> & { comment: string } {
  const reader = new WireReader(section);
  if (reader.uint32() !== reader.uint32()) throw new RangeError('the two check numbers differ');
  if (reader.string().toString() !== type) throw new RangeError('the two halves are of different types');
  const fields = readFields(type, reader);
  // A line feed would split the authorized_keys line.
  const comment = reader
    .string()
    .toString()
    .replace(/\p{Cc}+/gu, ' ');
  return { fields, comment };
}

/**
 * The checks that OpenSSH's tools do before they add a key. An agent does not repeat them.
 *
 * @throws KEY_UNSUPPORTED, KEY_MALFORMED
 */
export function requireWhole({ publicKey, fields }: OpensshKey, resource: string): void {
  const { type, blob } = publicKey;
  const problem = unusable(type, fields);
  if (problem !== undefined) throw unsupported(resource, problem);
  if (!publicBlob(type, fields).equals(blob) || !areWhole(type, fields)) throw malformed(resource, undefined);
}

export function writeOpensshKey({ publicKey, fields }: OpensshKey): string {
  const { type, blob, comment } = publicKey;
  // The two check numbers only have to be equal: they show whether decryption worked, and this file is not encrypted.
  const body = Buffer.concat([uint32(0), uint32(0), string(type), joinFields(fields), string(comment)]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, i) => i + 1));
  return writeEnvelope(blob, Buffer.concat([body, padding]));
}

/** @param section not encrypted */
export function writeEnvelope(blob: Buffer, section: Buffer): string {
  const plain = [string('none'), string('none'), string('')];
  return armorOpensshKey(Buffer.concat([magic, ...plain, uint32(1), string(blob), string(section)]));
}

/** With a line feed at the end, which OpenSSH requires. */
export function armorOpensshKey(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function checkType(type: string, resource: string): void {
  if (isKnownType(type)) return;
  if (type.startsWith('sk-')) throw unsupported(resource, 'is bound to a hardware token');
  throw unsupported(
    resource,
    /^[\x21-\x7e]{1,64}$/.test(type) ? `is of type ${type}` : 'is of an unknown type',
  );
}

function encrypted(resource: string): Failure {
  return new Failure('KEY_ENCRYPTED', `the private key in ${resource} is protected by a passphrase`, {
    hint: 'write passphrase=REFERENCE after the key, or store the key without a passphrase (ssh-keygen -p -N "" -f FILE): the store encrypts it already',
  });
}

function unsupported(resource: string, problem: string): Failure {
  return new Failure('KEY_UNSUPPORTED', `the private key in ${resource} ${problem}`, {
    hint: 'make an Ed25519 key instead: ssh-keygen -t ed25519 -N "" -f FILE',
  });
}

function malformed(resource: string, cause: unknown): Failure {
  return new Failure('KEY_MALFORMED', `the private key in ${resource} is damaged or cut off`, {
    hint: 'store the whole file again: aws ssm put-parameter --overwrite --type SecureString --name NAME --value file://FILE',
    cause,
  });
}

export const keyFailures = { encrypted, unsupported, malformed };
