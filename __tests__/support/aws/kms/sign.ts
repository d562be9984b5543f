/** GetPublicKey and Sign. */
import {
  constants,
  createHash,
  createPublicKey,
  privateEncrypt,
  sign as signBytes,
  type KeyObject,
} from 'node:crypto';

import { AwsError } from '../errors.ts';
import { choice, flag, text, validation } from '../ssm/input.ts';
import type { JsonRecord } from '../wire/aws-json.ts';
import { permitted, requireUsable, type KmsOperation } from './access.ts';
import { signDigest } from './ecdsa.ts';
import { SIGNING_ALGORITHMS } from './key-specs.ts';
import type { SigningKey } from './signing-keys.ts';

const MAX_MESSAGE_BYTES = 4096;

export const getPublicKey: KmsOperation = (keys, caller, input) => {
  const key = permitted(keys, caller, { action: 'kms:GetPublicKey', keyId: text(input, 'KeyId') });
  if (key.spec === 'SYMMETRIC_DEFAULT') {
    const message = `${key.arn} key spec is SYMMETRIC_DEFAULT which is not valid for GetPublicKey.`;
    throw new AwsError({ code: 'UnsupportedOperationException', message });
  }
  requireUsable(key);
  const der = createPublicKey(privateKeyOf(key)).export({ type: 'spki', format: 'der' });
  const signs = key.usage === 'SIGN_VERIFY';
  return {
    KeyId: key.arn,
    PublicKey: der.toString('base64'),
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    KeyUsage: key.usage,
    ...(signs && { SigningAlgorithms: SIGNING_ALGORITHMS[key.spec] ?? [] }),
  };
};

export const sign: KmsOperation = (keys, caller, input) => {
  const algorithm = text(input, 'SigningAlgorithm');
  const type = choice(input, 'MessageType', ['RAW', 'DIGEST', 'EXTERNAL_MU']) ?? 'RAW';
  const message = messageOf(input);
  const context = { 'kms:SigningAlgorithm': algorithm, 'kms:MessageType': type };
  const key = permitted(keys, caller, { action: 'kms:Sign', keyId: text(input, 'KeyId'), context });
  if (key.usage !== 'SIGN_VERIFY') {
    throw invalidUsage(`${key.arn} key usage is ${key.usage} which is not valid for Sign.`);
  }
  requireUsable(key);
  if (SIGNING_ALGORITHMS[key.spec]?.includes(algorithm) !== true) {
    throw invalidUsage(`Algorithm ${algorithm} and key spec ${key.spec} are incompatible.`);
  }
  const signature = signatureOf(privateKeyOf(key), { algorithm, message, type });
  if (flag(input, 'DryRun')) throw dryRun();
  return { KeyId: key.arn, Signature: signature.toString('base64'), SigningAlgorithm: algorithm };
};

function messageOf(input: JsonRecord): Buffer {
  const message = Buffer.from(text(input, 'Message'), 'base64');
  if (message.length >= 1 && message.length <= MAX_MESSAGE_BYTES) return message;
  const limit =
    message.length === 0
      ? 'greater than or equal to 1'
      : `less than or equal to ${String(MAX_MESSAGE_BYTES)}`;
  throw validation(
    `1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length ${limit}`,
  );
}

interface Wanted {
  readonly algorithm: string;
  readonly message: Buffer;
  readonly type: string;
}

function signatureOf(key: KeyObject, { algorithm, message, type }: Wanted): Buffer {
  if (key.asymmetricKeyType === 'ed25519') {
    if (algorithm === 'ED25519_SHA_512' && type === 'RAW') return signBytes(null, message, key);
    throw validation(`Message type ${type} is not valid for signing algorithm ${algorithm}.`);
  }
  const hash = `sha${algorithm.slice(-3)}`;
  const digest = type === 'RAW' ? createHash(hash).update(message).digest() : message;
  if (digest.length !== Number(algorithm.slice(-3)) / 8) {
    throw validation(`Digest is invalid length for algorithm ${algorithm}.`);
  }
  if (algorithm.startsWith('ECDSA')) return signDigest(key, digest);
  if (algorithm.startsWith('RSASSA_PKCS1')) return pkcs1(key, hash, digest);
  throw new AwsError({ code: 'LocalAwsDefect', message: `${algorithm} is not modelled`, status: 501 });
}

/** The prefixes of DigestInfo. Source: RFC 8017 §9.2, note 1. */
const DIGEST_INFO: Readonly<Record<string, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

function pkcs1(key: KeyObject, hash: string, digest: Buffer): Buffer {
  const padding = constants.RSA_PKCS1_PADDING;
  return privateEncrypt(
    { key, padding },
    Buffer.concat([Buffer.from(DIGEST_INFO[hash] ?? '', 'hex'), digest]),
  );
}

function privateKeyOf({ arn, privateKey }: SigningKey): KeyObject {
  if (privateKey) return privateKey;
  throw new AwsError({ code: 'KMSInvalidStateException', message: `${arn} has no key material.` });
}

/** All else is checked before. Source: KMS Developer Guide, "Testing your permissions". */
function dryRun(): AwsError {
  const message = 'Request would have succeeded, but DryRun flag is set.';
  return new AwsError({ code: 'DryRunOperationException', message, status: 412 });
}

function invalidUsage(message: string): AwsError {
  return new AwsError({ code: 'InvalidKeyUsageException', message });
}
