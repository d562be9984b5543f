/** The algorithms of SSH signatures, and their wire form. Pure. */
import type { SignatureAlgorithm } from './signer.ts';
import { mpint, string } from './wire.ts';

/**
 * Type of a key → the algorithms that it signs by. The first is the one that OpenSSH prefers.
 *
 * @source RFC 8332 §3.2: `ssh-rsa` itself would be SHA-1
 */
export function algorithmsOf(type: string): readonly SignatureAlgorithm[] {
  return Object.hasOwn(byType, type) ? (byType[type] ?? []) : [];
}

const byType: Readonly<Record<string, readonly SignatureAlgorithm[]>> = {
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-ed25519': ['ssh-ed25519'],
};

/**
 * The hash of an algorithm, as OpenSSL names it. Ed25519 hashes by itself.
 *
 * @source RFC 8332 §3, RFC 5656 §6.2.1
 */
export const hashes: Readonly<Record<SignatureAlgorithm, string | undefined>> = {
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
  'ssh-ed25519': undefined,
};

/**
 * @param signature of RSA and Ed25519 as OpenSSL and KMS give it, of ECDSA in DER
 * @throws RangeError if the DER is damaged
 * @source RFC 4253 §6.6, RFC 8332 §3, RFC 5656 §3.1.2, RFC 8709 §6
 */
export function writeSignature(algorithm: SignatureAlgorithm, signature: Buffer): Buffer {
  const bytes = algorithm.startsWith('ecdsa-') ? Buffer.concat(integersOf(signature).map(mpint)) : signature;
  return Buffer.concat([string(algorithm), string(bytes)]);
}

/** A SEQUENCE of two INTEGERs (RFC 3279 §2.2.3). */
function integersOf(der: Buffer): Buffer[] {
  const [sequence, behind] = takeElement(der, 0x30);
  const [r, rest] = takeElement(sequence, 2);
  const [s, more] = takeElement(rest, 2);
  const areNatural = [r, s].every((number) => number.length > 0 && (number[0] ?? 0) < 0x80);
  if (behind.length + more.length === 0 && areNatural) return [r, s];
  throw new RangeError('not two natural numbers');
}

/** Lengths of up to 255 bytes are enough for two numbers of 521 bits (X.690 §8.1.3). */
function takeElement(bytes: Buffer, tag: number): [content: Buffer, rest: Buffer] {
  const isLong = bytes[1] === 0x81;
  const start = isLong ? 3 : 2;
  const length = bytes[start - 1];
  if (bytes[0] !== tag || length === undefined || (!isLong && length >= 0x80))
    throw new RangeError('an element of another kind');
  if (start + length > bytes.length) throw new RangeError('the element is longer than the remaining bytes');
  return [bytes.subarray(start, start + length), bytes.subarray(start + length)];
}
