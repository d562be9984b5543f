/** Whether the two halves of a key belong together: a damaged one loads, and only the host's refusal would show it. Pure. */
import { createPrivateKey, createPublicKey, sign, verify, type JsonWebKey } from 'node:crypto';

/** What the private half signs, the public one verifies. Of Ed25519 and ECDSA keys. */
export function halvesMatch(jwk: JsonWebKey): boolean {
  const text = Buffer.from('proof');
  const digest = jwk.kty === 'OKP' ? null : 'sha256';
  const { kty, crv, x, y } = jwk;
  const given = Object.entries({ kty, crv, x, y }).filter(([, value]) => value !== undefined);
  try {
    const publicKey = createPublicKey({ key: Object.fromEntries(given), format: 'jwk' });
    return verify(digest, text, publicKey, sign(digest, text, createPrivateKey({ key: jwk, format: 'jwk' })));
  } catch {
    return false; // One of them is no key at all.
  }
}
