/** An SSH public key as a key of Node's crypto. Pure. */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { pointJwk } from './curves.ts';
import { rsaBits, rsaLimits } from './key-fields.ts';
import { WireReader } from './wire.ts';

/**
 * @param blob the wire form of a plain public key
 * @returns undefined if it is incomplete, or not of a type and size that every OpenSSH supports
 */
export function keyObjectOf(blob: Buffer): KeyObject | undefined {
  try {
    // Node would ask OpenSSL, which leaves an error behind for a longer key: it fails the next key that is read.
    const bits = rsaBits(blob) ?? rsaLimits.least;
    if (bits < rsaLimits.least || bits > rsaLimits.most) return undefined;
    const reader = new WireReader(blob);
    const jwk = publicJwk(reader.string().toString('latin1'), reader);
    if (!jwk || reader.rest.length > 0) return undefined;
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined; // Incomplete, or not a point on the curve.
  }
}

/**
 * @param reader behind the type
 * @returns undefined for another type, and for a point that does not match its type
 * @throws RangeError if the bytes end too early
 * @source RFC 8709 §4, RFC 4253 §6.6, RFC 5656 §3.1
 */
export function publicJwk(type: string, reader: WireReader): JsonWebKey | undefined {
  const next = (): string => reader.string().toString('base64url');
  if (type === 'ssh-ed25519') return { kty: 'OKP', crv: 'Ed25519', x: next() };
  if (type === 'ssh-rsa') return { kty: 'RSA', e: next(), n: next() };
  return pointJwk(type, reader.string(), reader.string());
}
