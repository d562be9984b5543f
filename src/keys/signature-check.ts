/** Verifies SSH signatures in wire form. Pure. */
import { constants, verify, type KeyObject } from 'node:crypto';
import { curves } from './curves.ts';
import { keyObjectOf } from './key-object.ts';
import { algorithmsOf, hashes } from './signature.ts';
import type { SignatureAlgorithm } from './signer.ts';
import { WireReader } from './wire.ts';

export interface Signed {
  readonly data: Buffer;
  /** The algorithm and the signature, each with its length (RFC 4253 §6.6). */
  readonly signature: Buffer;
}

/**
 * @param blob the wire form of a plain public key
 * @returns the algorithm, never `ssh-rsa`; undefined if the signature does not belong to the key and the data
 */
export function verifiedAlgorithm(blob: Buffer, { data, signature }: Signed): SignatureAlgorithm | undefined {
  try {
    const reader = new WireReader(signature);
    const name = reader.string().toString('latin1');
    const raw = reader.string();
    if (reader.rest.length > 0) return undefined;
    const type = new WireReader(blob).string().toString('latin1');
    const algorithm = algorithmsOf(type).find((one) => one === name);
    const key = keyObjectOf(blob);
    if (!key || !algorithm) return undefined;
    return isRight(key, { type, hash: hashes[algorithm], data, raw }) ? algorithm : undefined;
  } catch {
    return undefined; // Incomplete, or numbers out of range.
  }
}

interface Check {
  readonly type: string;
  readonly hash: string | undefined;
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
