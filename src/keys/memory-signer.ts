/** Signs with a private key in this process: a key made for one use, or the stored key of an authority. Pure. */
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { Failure } from '../errors.ts';
import { privateJwk } from './key-fields.ts';
import type { PrivateKey } from './private-key.ts';
import { algorithmsOf, hashes, writeSignature } from './signature.ts';
import type { SignatureAlgorithm, Signer } from './signer.ts';

/**
 * @param key whole, as parsePrivateKey and generateKey return it
 * @throws KEY_MALFORMED
 */
export function memorySigner(key: PrivateKey): Signer {
  const { publicKey } = key;
  const algorithms = algorithmsOf(publicKey.type);
  const secret = keyObjectOf(key);
  return {
    ...{ publicKey, algorithms },
    async sign(data, algorithm, signal) {
      signal.throwIfAborted();
      if (!algorithms.includes(algorithm)) throw otherAlgorithm(algorithm, publicKey.comment);
      return writeSignature(algorithm, await signBytes(secret, data, hashes[algorithm]));
    },
  };
}

/** @param name of the key */
export function otherAlgorithm(algorithm: SignatureAlgorithm, name: string): Failure {
  return new Failure('SIGNATURE_REFUSED', `the key ${name} does not sign by ${algorithm}`, {
    hint: 'ask for a signature by an algorithm of its type; RSA keys sign by rsa-sha2-256 and rsa-sha2-512',
  });
}

/** In another thread: RSA takes milliseconds. */
async function signBytes(key: KeyObject, data: Buffer, hash: string | undefined): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    sign(hash, data, { key, dsaEncoding: 'der' }, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });
}

function keyObjectOf({ publicKey, fields }: PrivateKey): KeyObject {
  const jwk = privateJwk(publicKey.type, fields);
  if (jwk) return createPrivateKey({ key: jwk, format: 'jwk' });
  throw new Failure('KEY_MALFORMED', `the private key in ${publicKey.comment} is damaged`, {
    hint: 'store the whole file of the key again',
  });
}
