/** The names of NIST's curves in SSH and JWK. Pure. */
import type { JsonWebKey } from 'node:crypto';

export interface Curve {
  /** RFC 5656 §10.1; with the prefix `ecdsa-sha2-` it is the type of a key. */
  readonly ssh: string;
  /** RFC 7518 §6.2.1.1 */
  readonly jwk: string;
  /** Bytes of a coordinate. */
  readonly size: number;
}

export const curves: readonly Curve[] = [
  { ssh: 'nistp256', jwk: 'P-256', size: 32 },
  { ssh: 'nistp384', jwk: 'P-384', size: 48 },
  { ssh: 'nistp521', jwk: 'P-521', size: 66 },
];

/**
 * @param type of the key
 * @param name of the curve in the key
 * @returns undefined if the three do not match; OpenSSL later checks that the point is on the curve
 */
export function pointJwk(type: string, name: Buffer, point: Buffer): JsonWebKey | undefined {
  const curve = curves.find(({ ssh }) => `ecdsa-sha2-${ssh}` === type);
  if (!curve || name.toString('latin1') !== curve.ssh) return undefined;
  const { jwk: crv, size } = curve;
  // 4: not compressed (SEC 1 §2.3.3). OpenSSH reads no other form.
  if (point[0] !== 4 || point.length !== 1 + 2 * size) return undefined;
  const [x, y] = [point.subarray(1, 1 + size), point.subarray(1 + size)];
  return { kty: 'EC', crv, x: x.toString('base64url'), y: y.toString('base64url') };
}
