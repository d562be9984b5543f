/** Signs with a private key that is in memory. Pure. */
import { createPrivateKey, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import { curves } from './curves.ts';
import type { OpensshKey } from './openssh-key.ts';
import type { SignatureAlgorithm, Signer } from './signer.ts';
import { mpint, string } from './wire.ts';

const digests: Readonly<Record<SignatureAlgorithm, string | null>> = {
  'ssh-ed25519': null,
  'rsa-sha2-256': 'sha256',
  'rsa-sha2-512': 'sha512',
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
};

/** @param key checked by parsePrivateKey, or made by generateKey */
export function memorySigner(key: OpensshKey): Signer {
  const { publicKey, fields } = key;
  const isRsa = publicKey.type === 'ssh-rsa';
  const privateKey = createPrivateKey({ key: jwkOf(publicKey.type, fields), format: 'jwk' });
  return {
    publicKey,
    algorithms: isRsa ? ['rsa-sha2-512', 'rsa-sha2-256'] : [publicKey.type as SignatureAlgorithm],
    sign: async (data, algorithm, signal) => {
      signal.throwIfAborted();
      await Promise.resolve();
      return Buffer.concat([string(algorithm), string(signed(data, algorithm, privateKey))]);
    },
  };
}

function signed(data: Buffer, algorithm: SignatureAlgorithm, key: KeyObject): Buffer {
  if (!algorithm.startsWith('ecdsa-')) return sign(digests[algorithm], data, key);
  const pair = sign(digests[algorithm], data, { key, dsaEncoding: 'ieee-p1363' });
  const half = pair.length / 2;
  return Buffer.concat([mpint(pair.subarray(0, half)), mpint(pair.subarray(half))]);
}

function jwkOf(type: string, fields: readonly Buffer[]): JsonWebKey {
  const text = (bytes: Buffer): string => bytes.toString('base64url');
  const [a, b, c] = fields as [Buffer, Buffer, Buffer];
  if (type === 'ssh-ed25519') return { kty: 'OKP', crv: 'Ed25519', x: text(a), d: text(b.subarray(0, 32)) };
  if (type === 'ssh-rsa') return rsaJwk(fields);
  const curve = curves.find(({ ssh }) => ssh === a.toString());
  if (!curve) throw new TypeError('unknown curve');
  const { size, jwk } = curve;
  const d = Buffer.concat([Buffer.alloc(size), c]).subarray(-size);
  return { kty: 'EC', crv: jwk, x: text(b.subarray(1, 1 + size)), y: text(b.subarray(1 + size)), d: text(d) };
}

function rsaJwk(fields: readonly Buffer[]): JsonWebKey {
  const number = (bytes: Buffer | undefined): bigint => BigInt(`0x${bytes?.toString('hex') ?? ''}`);
  const [n = 0n, e = 0n, d = 0n, qi = 0n, p = 0n, q = 0n] = fields.map(number);
  const text = (value: bigint): string => {
    const hex = value.toString(16);
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
  };
  return {
    ...{ kty: 'RSA', n: text(n), e: text(e), d: text(d), p: text(p), q: text(q), qi: text(qi) },
    ...{ dp: text(d % (p - 1n)), dq: text(d % (q - 1n)) },
  };
}
