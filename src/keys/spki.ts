/** Converts a SubjectPublicKeyInfo (RFC 5280 §4.1), as KMS has public keys, to SSH's wire form. Pure. */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { curves } from './curves.ts';
import { mpint, string } from './wire.ts';

/**
 * @param der the SubjectPublicKeyInfo
 * @returns undefined if it is none, or of a type that OpenSSH does not have
 */
export function readSpki(der: Uint8Array): { readonly type: string; readonly blob: Buffer } | undefined {
  const jwk = readJwk(der);
  if (!jwk) return undefined;
  const field = (name: 'n' | 'e' | 'x' | 'y'): Buffer => Buffer.from(String(jwk[name]), 'base64url');
  const wire = (type: string, ...fields: readonly Buffer[]): { type: string; blob: Buffer } => ({
    type,
    blob: Buffer.concat([string(type), ...fields]),
  });
  if (jwk.kty === 'RSA') return wire('ssh-rsa', mpint(field('e')), mpint(field('n')));
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return wire('ssh-ed25519', string(field('x')));
  const curve = curves.find(({ jwk: name }) => name === jwk.crv);
  if (jwk.kty !== 'EC' || !curve) return undefined;
  // 4: not compressed (SEC 1 §2.3.3).
  const point = Buffer.concat([Buffer.of(4), field('x'), field('y')]);
  return wire(`ecdsa-sha2-${curve.ssh}`, string(curve.ssh), string(point));
}

function readJwk(der: Uint8Array): JsonWebKey | undefined {
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' }).export({ format: 'jwk' });
  } catch {
    // Broken, or a key that JWK has no form for.
    return undefined;
  }
}
