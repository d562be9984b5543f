/** Converts PEM and PKCS#8 private keys to the fields of an OpenSSH key, which an agent needs. Pure. */
import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { curves } from './curves.ts';
import { publicBlob } from './key-fields.ts';
import { keyFailures, requireWhole, type OpensshKey } from './openssh-key.ts';
import { mpint } from './wire.ts';

/**
 * @param pem with its BEGIN and END lines, not encrypted
 * @param resource name of the key in messages
 * @throws KEY_MALFORMED, KEY_UNSUPPORTED
 */
export function readPemKey(pem: string, resource: string): OpensshKey {
  const jwk = readJwk(pem, resource);
  const { type, fields } = sshFields(jwk, resource);
  const key = { publicKey: { type, blob: publicBlob(type, fields), comment: '' }, fields };
  requireWhole(key, resource);
  return key;
}

function readJwk(pem: string, resource: string): JsonWebKey {
  let key;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw keyFailures.malformed(resource, error);
  }
  try {
    return key.export({ format: 'jwk' });
  } catch {
    throw keyFailures.unsupported(resource, `is of type ${key.asymmetricKeyType ?? 'unknown'}`);
  }
}

/** The fields of a key in SSH's order: PROTOCOL.key. */
function sshFields(jwk: JsonWebKey, resource: string): { type: string; fields: Buffer[] } {
  const field = (name: keyof JsonWebKey): Buffer => Buffer.from(String(jwk[name]), 'base64url');
  // Without its length.
  const number = (name: keyof JsonWebKey): Buffer => mpint(field(name)).subarray(4);
  if (jwk.kty === 'RSA') {
    return { type: 'ssh-rsa', fields: (['n', 'e', 'd', 'qi', 'p', 'q'] as const).map(number) };
  }
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    return { type: 'ssh-ed25519', fields: [field('x'), Buffer.concat([field('d'), field('x')])] };
  }
  const curve = curves.find((one) => one.jwk === jwk.crv);
  if (jwk.kty !== 'EC' || !curve)
    throw keyFailures.unsupported(resource, `is of type ${jwk.crv ?? String(jwk.kty)}`);
  const point = Buffer.concat([Buffer.of(4), field('x'), field('y')]); // 4: uncompressed, SEC 1 §2.3.3
  return { type: `ecdsa-sha2-${curve.ssh}`, fields: [Buffer.from(curve.ssh), point, number('d')] };
}
