/** Verifies SSH signatures in wire form. Pure. */
import { constants, verify, type KeyObject } from 'node:crypto';
import { curves } from './curves.ts';
import { keyObjectOf } from './key-object.ts';
import type { SignatureAlgorithm } from './signer.ts';
import { WireReader } from './wire.ts';

/** Algorithm → type of the key and hash. Never `ssh-rsa`, which signs by SHA-1: OpenSSH accepts none since 8.8. */
const algorithms: Readonly<
  Record<SignatureAlgorithm, { readonly type: string; readonly hash: string | null }>
> = {
  'ssh-ed25519': { type: 'ssh-ed25519', hash: null },
  'rsa-sha2-256': { type: 'ssh-rsa', hash: 'sha256' },
  'rsa-sha2-512': { type: 'ssh-rsa', hash: 'sha512' },
  'ecdsa-sha2-nistp256': { type: 'ecdsa-sha2-nistp256', hash: 'sha256' },
  'ecdsa-sha2-nistp384': { type: 'ecdsa-sha2-nistp384', hash: 'sha384' },
  'ecdsa-sha2-nistp521': { type: 'ecdsa-sha2-nistp521', hash: 'sha512' },
};

export interface Signed {
  readonly data: Buffer;
  /** The algorithm and the signature, each with its length (RFC 4253 §6.6). */
  readonly signature: Buffer;
}

/**
 * @param blob the wire form of a plain public key
 * @returns the algorithm; undefined if the signature does not belong to the key and the data
 */
export function verifiedAlgorithm(blob: Buffer, { data, signature }: Signed): SignatureAlgorithm | undefined {
  try {
    const reader = new WireReader(signature);
    const name = reader.string().toString('latin1');
    const raw = reader.string();
    if (reader.rest.length > 0 || !isAlgorithm(name)) return undefined;
    const { type, hash } = algorithms[name];
    if (new WireReader(blob).string().toString('latin1') !== type) return undefined;
    const key = keyObjectOf(blob);
    if (!key) return undefined;
    return isRight(key, { type, hash, data, raw }) ? name : undefined;
  } catch {
    return undefined; // Incomplete, or numbers out of range.
  }
}

function isAlgorithm(name: string): name is SignatureAlgorithm {
  return Object.hasOwn(algorithms, name);
}

interface Check {
  readonly type: string;
  readonly hash: string | null;
  readonly data: Buffer;
  readonly raw: Buffer;
}

function isRight(key: KeyObject, { type, hash, data, raw }: Check): boolean {
  if (type === 'ssh-ed25519') return verify(null, data, key, raw);
  if (type !== 'ssh-rsa') return verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, joined(type, raw));
  const size = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  // Some signers leave out leading zeros (ssh-rsa.c does the same).
  const padded = Buffer.concat([Buffer.alloc(Math.max(0, size - raw.length)), raw]);
  return verify(hash, data, { key, padding: constants.RSA_PKCS1_PADDING }, padded);
}

/** The two numbers of an ECDSA signature, each with the length of the curve's coordinates (RFC 5656 §3.1.2). */
function joined(type: string, raw: Buffer): Buffer {
  const size = curves.find(({ ssh }) => `ecdsa-sha2-${ssh}` === type)?.size ?? 0;
  const reader = new WireReader(raw);
  const numbers = [reader.string(), reader.string()].map((number) => {
    if ((number[0] ?? 0) >= 0x80) throw new RangeError('a negative number');
    const digits = number[0] === 0 ? number.subarray(1) : number;
    if (digits.length > size) throw new RangeError('a number that is too long');
    return Buffer.concat([Buffer.alloc(size - digits.length), digits]);
  });
  if (reader.rest.length > 0) throw new RangeError('more than two numbers');
  return Buffer.concat(numbers);
}
