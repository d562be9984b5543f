/** PEM and PKCS#8 private keys → the parts of an OpenSSH one, which carries a comment and which ssh-add always reads. Pure. */
import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { keyFailures, type OpensshKey } from './openssh-key.ts';
import { halvesMatch } from './proof.ts';
import { mpint, string } from './wire.ts';

/** JWK's curve names → SSH's (RFC 7518 §6.2.1.1, RFC 5656 §10.1). */
const curves: Readonly<Record<string, string>> = {
  'P-256': 'nistp256',
  'P-384': 'nistp384',
  'P-521': 'nistp521',
};

/**
 * @param pem with its BEGIN and END lines, not encrypted
 * @param resource how messages call the key
 * @throws KEY_MALFORMED, KEY_UNSUPPORTED
 */
export function readPemKey(pem: string, resource: string): OpensshKey {
  const jwk = readJwk(pem, resource);
  const { type, publicPart, privatePart } = sshParts(jwk, resource);
  if (!halvesMatch(jwk)) throw keyFailures.malformed(resource, undefined);
  return { publicKey: { type, blob: Buffer.concat([string(type), publicPart]), comment: '' }, privatePart };
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

/** The fields of a key as SSH orders them: RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, and PROTOCOL.key for private ones. */
function sshParts(
  jwk: JsonWebKey,
  resource: string,
): { type: string; publicPart: Buffer; privatePart: Buffer } {
  const field = (name: keyof JsonWebKey): Buffer => Buffer.from(String(jwk[name]), 'base64url');
  if (jwk.kty === 'RSA') {
    return {
      type: 'ssh-rsa',
      publicPart: Buffer.concat([mpint(field('e')), mpint(field('n'))]),
      privatePart: Buffer.concat(
        (['n', 'e', 'd', 'qi', 'p', 'q'] as const).map((name) => mpint(field(name))),
      ),
    };
  }
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    const publicPart = string(field('x'));
    const privatePart = Buffer.concat([publicPart, string(Buffer.concat([field('d'), field('x')]))]);
    return { type: 'ssh-ed25519', publicPart, privatePart };
  }
  const curve = curves[jwk.crv ?? ''];
  if (jwk.kty !== 'EC' || !curve)
    throw keyFailures.unsupported(resource, `is of type ${jwk.crv ?? String(jwk.kty)}`);
  const point = Buffer.concat([Buffer.of(4), field('x'), field('y')]); // 4: uncompressed, SEC 1 §2.3.3
  const publicPart = Buffer.concat([string(curve), string(point)]);
  return {
    type: `ecdsa-sha2-${curve}`,
    publicPart,
    privatePart: Buffer.concat([publicPart, mpint(field('d'))]),
  };
}
