/** The import of key material. Source: KMS Developer Guide, "Importing key material". */
import {
  constants,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  privateDecrypt,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

import { AwsError } from '../errors.ts';
import { choice, text, validation } from '../ssm/input.ts';
import { permitted, type KmsOperation } from './access.ts';
import { specOf } from './key-specs.ts';

const ALGORITHMS = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
];

interface Wrapping {
  readonly keyArn: string;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
}

/** Import token → what it was made for. */
const wrappings = new Map<string, Wrapping>();

export const getParametersForImport: KmsOperation = (keys, caller, input) => {
  const algorithm = choice(input, 'WrappingAlgorithm', ALGORITHMS) ?? text(input, 'WrappingAlgorithm');
  const size =
    choice(input, 'WrappingKeySpec', ['RSA_2048', 'RSA_3072', 'RSA_4096']) ?? text(input, 'WrappingKeySpec');
  const key = permitted(keys, caller, { action: 'kms:GetParametersForImport', keyId: text(input, 'KeyId') });
  if (key.origin !== 'EXTERNAL') {
    const message = `${key.arn} origin is AWS_KMS which is not valid for this operation.`;
    throw new AwsError({ code: 'UnsupportedOperationException', message });
  }
  if (algorithm.startsWith('RSA_AES') && caller.region.startsWith('cn-')) {
    throw new AwsError({
      code: 'UnsupportedOperationException',
      message: `${algorithm} is not supported here.`,
    });
  }
  if (key.spec.startsWith('RSA_') && !algorithm.startsWith('RSA_AES')) {
    throw validation(`Wrapping algorithm ${algorithm} is not valid for key spec ${key.spec}.`);
  }
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: Number(size.slice(4)) });
  const token = randomBytes(32).toString('base64');
  wrappings.set(token, { keyArn: key.arn, algorithm, privateKey });
  const day = 86_400;
  return {
    KeyId: key.arn,
    ImportToken: token,
    PublicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    ParametersValidTo: Math.floor(Date.now() / 1000) + day,
  };
};

export const importKeyMaterial: KmsOperation = (keys, caller, input) => {
  const key = permitted(keys, caller, { action: 'kms:ImportKeyMaterial', keyId: text(input, 'KeyId') });
  const model = choice(input, 'ExpirationModel', ['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE']);
  if (model !== 'KEY_MATERIAL_DOES_NOT_EXPIRE' && input['ValidTo'] === undefined) {
    throw validation('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES');
  }
  const wrapping = wrappings.get(text(input, 'ImportToken'));
  if (wrapping?.keyArn !== key.arn) throw new AwsError({ code: 'InvalidImportTokenException', message: '' });
  const privateKey = unwrap(Buffer.from(text(input, 'EncryptedKeyMaterial'), 'base64'), wrapping);
  if (specOf(privateKey) !== key.spec) {
    const message = `The key material is not valid for key spec ${key.spec}.`;
    throw new AwsError({ code: 'IncorrectKeyMaterialException', message });
  }
  if (key.privateKey && !key.privateKey.equals(privateKey)) {
    throw new AwsError({ code: 'IncorrectKeyMaterialException', message: '' });
  }
  key.privateKey = privateKey;
  key.state = 'Enabled';
  return {};
};

/** The material is PKCS#8 in DER (RFC 5208). Source: RFC 5649 for the wrapping by AES, RFC 3394 §2.2.3 for its IV. */
function unwrap(material: Buffer, { algorithm, privateKey }: Wrapping): KeyObject {
  try {
    const oaepHash = algorithm.endsWith('_1') ? 'sha1' : 'sha256';
    const oaep = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
    const size = (privateKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
    const opened = privateDecrypt(oaep, material.subarray(0, size));
    if (!algorithm.startsWith('RSA_AES')) return fromDer(opened);
    const decipher = createDecipheriv('id-aes256-wrap-pad', opened, Buffer.from('a65959a6', 'hex'));
    return fromDer(Buffer.concat([decipher.update(material.subarray(size)), decipher.final()]));
  } catch {
    throw new AwsError({ code: 'InvalidCiphertextException', message: '' });
  }
}

function fromDer(key: Buffer): KeyObject {
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}
