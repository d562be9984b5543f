/** OpenSSH's own private key format, `openssh-key-v1`: read it, write it. Pure. */
import type { JsonWebKey } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { PublicKey } from './public-key.ts';
import { halvesMatch } from './proof.ts';
import { string, uint32, WireReader } from './wire.ts';

/** @source openssh-portable, PROTOCOL.key */
const magic = Buffer.from('openssh-key-v1\0');
const label = 'OPENSSH PRIVATE KEY';

/** How many fields stand between the type and the comment in the private section. */
const privateFields: Readonly<Record<string, number>> = {
  'ssh-ed25519': 2,
  'ssh-rsa': 6,
  'ecdsa-sha2-nistp256': 3,
  'ecdsa-sha2-nistp384': 3,
  'ecdsa-sha2-nistp521': 3,
};

export function isOpensshKey(bytes: Buffer): boolean {
  return bytes.subarray(0, magic.length).equals(magic);
}

export interface OpensshKey {
  readonly publicKey: PublicKey;
  /** The fields between the type and the comment, in wire form. Secret. */
  readonly privatePart: Buffer;
}

/**
 * An unencrypted key, after checking that the file is whole.
 *
 * @param resource how messages call the key
 * @throws KEY_ENCRYPTED, KEY_UNSUPPORTED, KEY_MALFORMED
 */
export function readOpensshKey(bytes: Buffer, resource: string): OpensshKey {
  const { cipher, blob, section } = readEnvelope(bytes, resource);
  try {
    const type = new WireReader(blob).string().toString();
    checkType(type, resource);
    if (cipher !== 'none') throw encrypted(resource);
    const { privatePart, comment } = readPrivateSection(section, type);
    return { publicKey: { type, blob, comment }, privatePart };
  } catch (error) {
    if (error instanceof RangeError) throw malformed(resource, error);
    throw error;
  }
}

/** The file's outer layer, of an encrypted key too. */
export interface Envelope {
  readonly cipher: string;
  readonly kdf: string;
  readonly kdfOptions: Buffer;
  /** The public key. */
  readonly blob: Buffer;
  /** The private section, encrypted by the cipher. */
  readonly section: Buffer;
  /** What ciphers that authenticate leave behind the section. */
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

function readPrivateSection(section: Buffer, type: string): { privatePart: Buffer; comment: string } {
  const reader = new WireReader(section);
  if (reader.uint32() !== reader.uint32()) throw new RangeError('the two check numbers differ');
  if (reader.string().toString() !== type) throw new RangeError('the two halves are of different types');
  const fields = Array.from({ length: privateFields[type] ?? 0 }, () => string(reader.string()));
  if (type === 'ssh-ed25519' && !halvesMatch(ed25519Jwk(fields[1])))
    throw new RangeError('the two halves differ');
  // A line feed would make two lines of one authorized_keys line.
  return {
    privatePart: Buffer.concat(fields),
    comment: reader
      .string()
      .toString()
      .replace(/\p{Cc}+/gu, ' '),
  };
}

/** The second private field of an Ed25519 key is its seed and then its public half again. */
function ed25519Jwk(field: Buffer = Buffer.alloc(4)): JsonWebKey {
  const pair = new WireReader(field).string();
  const [d, x] = [pair.subarray(0, 32), pair.subarray(32)].map((half) => half.toString('base64url'));
  return { kty: 'OKP', crv: 'Ed25519', ...(d !== undefined && { d }), ...(x !== undefined && { x }) };
}

export function writeOpensshKey({ publicKey, privatePart }: OpensshKey): string {
  const { type, blob, comment } = publicKey;
  // The two equal numbers let a reader see that decryption worked. Nothing is encrypted here: any number will do.
  const body = Buffer.concat([uint32(0), uint32(0), string(type), privatePart, string(comment)]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, i) => i + 1));
  return writeEnvelope(blob, Buffer.concat([body, padding]));
}

/** @param section not encrypted */
export function writeEnvelope(blob: Buffer, section: Buffer): string {
  const plain = [string('none'), string('none'), string('')];
  return armorOpensshKey(Buffer.concat([magic, ...plain, uint32(1), string(blob), string(section)]));
}

/** With the line feed at the end that ssh-add insists on. */
export function armorOpensshKey(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function checkType(type: string, resource: string): void {
  if (Object.hasOwn(privateFields, type)) return;
  if (type.startsWith('sk-')) throw unsupported(resource, 'is bound to a hardware token');
  throw unsupported(
    resource,
    /^[\x21-\x7e]{1,64}$/.test(type) ? `is of type ${type}` : 'is of an unknown type',
  );
}

function encrypted(resource: string): Failure {
  return new Failure('KEY_ENCRYPTED', `the private key in ${resource} is protected by a passphrase`, {
    hint: 'write passphrase=REFERENCE behind the key, or store it without one (ssh-keygen -p -N "" -f FILE): the store encrypts it already',
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
