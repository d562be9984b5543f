/** The fields of a private key in SSH's order, and checks that they form a valid key. Pure. */
import type { JsonWebKey } from 'node:crypto';
import { pointJwk } from './curves.ts';
import { halvesMatch } from './key-pair-check.ts';
import { joinFields, string, WireReader } from './wire.ts';

/**
 * Type → number of its fields. The key file and the agent protocol have the same fields: public and private numbers,
 * each a string or an mpint.
 *
 * @source openssh-portable, PROTOCOL.key; RFC 9987
 */
const counts: Readonly<Record<string, number>> = {
  'ssh-ed25519': 2,
  'ssh-rsa': 6,
  'ecdsa-sha2-nistp256': 3,
  'ecdsa-sha2-nistp384': 3,
  'ecdsa-sha2-nistp521': 3,
};

/** Bits of an RSA modulus. @source openssh-portable: SSH_RSA_MINIMUM_MODULUS_SIZE, SSHBUF_MAX_BIGNUM */
export const rsaLimits = { least: 1024, most: 16_384 } as const;

/** Bits. @source NIST SP 800-131A rev. 2, table 2: shorter RSA keys are disallowed for signatures */
export const leastSafeRsaBits = 2048;

export function isKnownType(type: string): boolean {
  return Object.hasOwn(counts, type);
}

/** @throws RangeError if the bytes end too early */
export function readFields(type: string, reader: WireReader): Buffer[] {
  return Array.from({ length: counts[type] ?? 0 }, () => reader.string());
}

/** The wire form of the public key. */
export function publicBlob(type: string, fields: readonly Buffer[]): Buffer {
  const [first, second] = fields as [Buffer, Buffer];
  // The file has n, e; the public key has e, n (RFC 4253 §6.6).
  const ordered = type === 'ssh-rsa' ? [second, first] : type === 'ssh-ed25519' ? [first] : [first, second];
  return Buffer.concat([string(type), joinFields(ordered)]);
}

/** The reason why OpenSSH does not accept the key; undefined if it does. */
export function unusable(type: string, fields: readonly Buffer[]): string | undefined {
  if (type !== 'ssh-rsa') return undefined;
  const bits = bitLength(fields[0] ?? Buffer.alloc(0));
  if (bits < rsaLimits.least)
    return `is an RSA key of ${bits} bits: OpenSSH accepts none below ${rsaLimits.least}`;
  if (bits > rsaLimits.most)
    return `is an RSA key of ${bits} bits: OpenSSH accepts none above ${rsaLimits.most}`;
  return undefined;
}

/** Whether the public and private numbers match. An agent does not check that. */
export function areWhole(type: string, fields: readonly Buffer[]): boolean {
  if (type === 'ssh-rsa') return isWholeRsa(fields);
  const jwk = privateJwk(type, fields);
  return jwk !== undefined && halvesMatch(jwk);
}

/**
 * The key in the form that Node's crypto reads.
 *
 * @returns undefined if the fields do not match the type, or one another
 */
export function privateJwk(type: string, fields: readonly Buffer[]): JsonWebKey | undefined {
  if (type === 'ssh-rsa') return rsaJwk(fields);
  if (type === 'ssh-ed25519') return ed25519Jwk(fields as [Buffer, Buffer]);
  return ecdsaJwk(type, fields as [Buffer, Buffer, Buffer]);
}

/** @source RFC 7518 §6.3.2: the file has no `dp` and `dq` */
function rsaJwk(fields: readonly Buffer[]): JsonWebKey {
  const [n = 0n, e = 0n, d = 0n, qi = 0n, p = 0n, q = 0n] = fields.map((field) =>
    BigInt(`0x${field.toString('hex') || '0'}`),
  );
  const numbers = { n, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi };
  const written = Object.entries(numbers).map(([name, number]) => {
    const hex = number.toString(16);
    return [name, base64url(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'))];
  });
  return { kty: 'RSA', ...(Object.fromEntries(written) as JsonWebKey) };
}

/** The second field is the seed, followed by the public key again. */
function ed25519Jwk([point, pair]: readonly [Buffer, Buffer]): JsonWebKey | undefined {
  const [d, x] = [pair.subarray(0, 32), pair.subarray(32)];
  if (!x.equals(point)) return undefined;
  return { kty: 'OKP', crv: 'Ed25519', d: base64url(d), x: base64url(x) };
}

function ecdsaJwk(
  type: string,
  [curve, point, secret]: readonly [Buffer, Buffer, Buffer],
): JsonWebKey | undefined {
  const [jwk, d] = [pointJwk(type, curve, point), numberOf(secret)];
  const size = (point.length - 1) / 2;
  if (!jwk || !d || d.length > size) return undefined;
  return { ...jwk, d: base64url(Buffer.concat([Buffer.alloc(size - d.length), d])) };
}

/**
 * Checked by arithmetic, because OpenSSL signs correctly even with a wrong p, q or coefficient.
 *
 * @source RFC 8017 §3.2
 */
function isWholeRsa(fields: readonly Buffer[]): boolean {
  const numbers = fields.map(numberOf);
  if (numbers.includes(undefined)) return false;
  const [n = 0n, e = 0n, d = 0n, coefficient = 0n, p = 0n, q = 0n] = numbers.map((digits) =>
    BigInt(`0x${digits?.toString('hex') ?? ''}`),
  );
  if (p < 3n || q < 3n || p * q !== n) return false;
  return [(e * d) % (p - 1n), (e * d) % (q - 1n), (coefficient * q) % p].every((rest) => rest === 1n);
}

/** The bytes of an mpint; undefined for a negative number, which OpenSSH refuses (RFC 4251 §5). */
function numberOf(field: Buffer): Buffer | undefined {
  if ((field[0] ?? 0) >= 0x80) return undefined;
  const start = field.findIndex((byte) => byte !== 0);
  return start < 0 ? undefined : field.subarray(start);
}

/**
 * @param blob the wire form of a public key
 * @returns the bits of the modulus; undefined for another type
 */
export function rsaBits(blob: Buffer): number | undefined {
  const reader = new WireReader(blob);
  if (reader.string().toString() !== 'ssh-rsa') return undefined;
  reader.string();
  return bitLength(reader.string());
}

function bitLength(number: Buffer): number {
  const start = number.findIndex((byte) => byte !== 0);
  if (start < 0) return 0;
  return (number.length - start) * 8 - Math.clz32(number[start] ?? 0) + 24;
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url');
}
