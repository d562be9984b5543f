/** Wraps a private key so that only KMS can read it. @source KMS Developer Guide, "Importing key material" */
import {
  constants,
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  publicEncrypt,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import type { AlgorithmSpec } from '@aws-sdk/client-kms';
import { Failure } from '../errors.ts';
import { privateJwk, rsaBits } from '../keys/key-fields.ts';
import type { PrivateKey } from '../keys/private-key.ts';

/** The specs of keys that KMS makes and takes, and that SSH has. */
export type SshKeySpec = 'ECC_NIST_EDWARDS25519' | `ECC_NIST_P${256 | 384 | 521}` | (typeof rsaSpecs)[number];

const rsaSpecs = ['RSA_2048', 'RSA_3072', 'RSA_4096'] as const;

const byType: Readonly<Record<string, SshKeySpec>> = {
  'ssh-ed25519': 'ECC_NIST_EDWARDS25519',
  'ecdsa-sha2-nistp256': 'ECC_NIST_P256',
  'ecdsa-sha2-nistp384': 'ECC_NIST_P384',
  'ecdsa-sha2-nistp521': 'ECC_NIST_P521',
};

/** @returns undefined if KMS has no such keys */
export function rsaSpec(bits: number): SshKeySpec | undefined {
  return rsaSpecs.find((spec) => spec === `RSA_${bits}`);
}

/**
 * @param resource the file, for messages
 * @throws KEY_UNSUPPORTED
 */
export function specOf({ publicKey }: PrivateKey, resource: string): SshKeySpec {
  const bits = rsaBits(publicKey.blob);
  const spec = bits === undefined ? byType[publicKey.type] : rsaSpec(bits);
  if (spec) return spec;
  const what = bits === undefined ? `of type ${publicKey.type}` : `an RSA key of ${bits} bits`;
  throw new Failure('KEY_UNSUPPORTED', `the private key in ${resource} is ${what}, which KMS does not take`, {
    hint: 'KMS takes RSA keys of 2048, 3072 or 4096 bits, ECDSA keys (P-256, P-384, P-521) and Ed25519 keys; make a new one: ssm-ssh-agent keygen kms:alias/NAME',
  });
}

/**
 * RSA keys are too long to be encrypted by an RSA key. KMS has no other way for them, and in China not this one.
 *
 * @throws KEY_UNSUPPORTED
 */
export function wrappingOf(spec: SshKeySpec, region: string): AlgorithmSpec {
  if (!region.startsWith('cn-')) return 'RSA_AES_KEY_WRAP_SHA_256';
  if (!spec.startsWith('RSA_')) return 'RSAES_OAEP_SHA_256';
  throw new Failure('KEY_UNSUPPORTED', `KMS in ${region} takes no RSA keys from outside`, {
    hint: 'make a new key there: ssm-ssh-agent keygen kms:alias/NAME --type rsa',
  });
}

/** @source RFC 3394 §2.2.3.2 and RFC 5649 §3: the start of the initial value */
const wrappingStart = Buffer.from('a65959a6', 'hex');

/**
 * @param key whole
 * @param wrappingKey of GetParametersForImport, a SubjectPublicKeyInfo
 */
export function wrapMaterial(key: PrivateKey, wrappingKey: Uint8Array, algorithm: AlgorithmSpec): Buffer {
  const material = keyObjectOf(key).export({ type: 'pkcs8', format: 'der' });
  const publicKey = createPublicKey({ key: Buffer.from(wrappingKey), format: 'der', type: 'spki' });
  const encrypt = (bytes: Buffer): Buffer =>
    publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, bytes);
  if (algorithm === 'RSAES_OAEP_SHA_256') return encrypt(material);
  const secret = randomBytes(32);
  const cipher = createCipheriv('id-aes256-wrap-pad', secret, wrappingStart);
  return Buffer.concat([encrypt(secret), cipher.update(material), cipher.final()]);
}

function keyObjectOf({ publicKey, fields }: PrivateKey): KeyObject {
  const jwk = privateJwk(publicKey.type, fields);
  if (!jwk) throw new TypeError('the key is not whole');
  return createPrivateKey({ key: jwk, format: 'jwk' });
}
