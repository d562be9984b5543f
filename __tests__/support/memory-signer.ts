/** A signer for tests whose key is in this process. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { curves } from '../../src/keys/curves.ts';
import { memorySigner as signerOf } from '../../src/keys/memory-signer.ts';
import { readPemKey } from '../../src/keys/pem-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { hashes, writeSignature } from '../../src/keys/signature.ts';
import type { SignatureAlgorithm, Signer } from '../../src/keys/signer.ts';
import { string } from '../../src/keys/wire.ts';

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
  const signer = signerOf(readPemKey(pem, 'the test key'));
  let asked = 0;
  return {
    ...signer,
    line: authorizedKeysLine(signer.publicKey),
    asked: () => asked,
    pem,
    sign: async (data, algorithm, signal) => {
      asked++;
      await before(signal);
      return await signer.sign(data, algorithm, signal);
    },
  };
}

function makeKey(type: SignerType): KeyObject {
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (type === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const namedCurve = curves.find(({ ssh }) => ssh === type)?.jwk ?? '';
  return generateKeyPairSync('ec', { namedCurve }).privateKey;
}

/** In wire form. Also by ssh-rsa, which is SHA-1: tests need signatures that must be refused. */
export function signature(key: KeyObject, data: Buffer, algorithm: SignatureAlgorithm | 'ssh-rsa'): Buffer {
  if (algorithm === 'ssh-rsa') return Buffer.concat([string(algorithm), string(sign('sha1', data, key))]);
  return writeSignature(algorithm, sign(hashes[algorithm], data, key));
}
