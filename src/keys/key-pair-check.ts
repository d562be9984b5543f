/** Checks that the two halves of a key match. An agent loads a damaged key, and only the host would refuse it. Pure. */
import { createPrivateKey, createPublicKey, sign, verify, type JsonWebKey } from 'node:crypto';

/** Signs with the private half and verifies with the public half. For Ed25519 and ECDSA. */
export function halvesMatch(jwk: JsonWebKey): boolean {
  const text = Buffer.from('proof');
  const digest = jwk.kty === 'OKP' ? null : 'sha256';
  const { kty, crv, x, y } = jwk;
  const given = Object.entries({ kty, crv, x, y }).filter(([, value]) => value !== undefined);
  try {
    const publicKey = createPublicKey({ key: Object.fromEntries(given), format: 'jwk' });
    return verify(digest, text, publicKey, sign(digest, text, createPrivateKey({ key: jwk, format: 'jwk' })));
  } catch {
    return false; // One half is not a valid key.
  }
}
