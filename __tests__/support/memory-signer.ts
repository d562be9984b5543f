/** A signer for tests whose key is in this process. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { curves } from '../../src/keys/curves.ts';
import { readPemKey } from '../../src/keys/pem-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import type { SignatureAlgorithm, Signer } from '../../src/keys/signer.ts';
import { mpint, string } from '../../src/keys/wire.ts';

export type SignerType = 'ed25519' | 'rsa' | 'nistp256' | 'nistp384' | 'nistp521';

export interface MemorySigner extends Signer {
  /** Of authorized_keys. */
  readonly line: string;
  /** Number of signatures that were asked for. */
  readonly asked: () => number;
  /** PKCS#8, for programs that need the key itself. */
  readonly pem: string;
}

/** @param before called for each signature, to delay it or to let it fail */
export function memorySigner(
  type: SignerType = 'ed25519',
  before: (signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
): MemorySigner {
  const privateKey = makeKey(type);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const { publicKey } = readPemKey(pem, 'the test key');
  let asked = 0;
  return {
    publicKey,
    algorithms: algorithmsOf(publicKey.type),
    line: authorizedKeysLine(publicKey),
    asked: () => asked,
    pem,
    sign: async (data, algorithm, signal) => {
      asked++;
      await before(signal);
      return signature(privateKey, data, algorithm);
    },
  };
}

function makeKey(type: SignerType): KeyObject {
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const namedCurve = curves.find(({ ssh }) => ssh === type)?.jwk ?? '';
  return generateKeyPairSync('ec', { namedCurve }).privateKey;
}

function algorithmsOf(type: string): SignatureAlgorithm[] {
  return type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type as SignatureAlgorithm];
}

/** In wire form. Also for the algorithm ssh-rsa, so that tests can make signatures that must be refused. */
export function signature(key: KeyObject, data: Buffer, algorithm: string): Buffer {
  return Buffer.concat([string(algorithm), string(rawSignature(key, data, algorithm))]);
}

function rawSignature(key: KeyObject, data: Buffer, algorithm: string): Buffer {
  if (algorithm === 'ssh-ed25519') return sign(null, data, key);
  if (algorithm === 'ssh-rsa') return sign('sha1', data, key);
  if (algorithm.startsWith('rsa-sha2-')) return sign(algorithm.replace('rsa-sha2-', 'sha'), data, key);
  const hash = { nistp256: 'sha256', nistp384: 'sha384', nistp521: 'sha512' }[
    algorithm.slice('ecdsa-sha2-'.length)
  ];
  const pair = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const half = pair.length / 2;
  return Buffer.concat([mpint(pair.subarray(0, half)), mpint(pair.subarray(half))]);
}
