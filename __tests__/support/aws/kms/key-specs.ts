/** The specs of asymmetric KMS keys, and the algorithms of each. Source: KMS Developer Guide, "Key spec reference". */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';

const rsa = [
  ...['RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384', 'RSASSA_PSS_SHA_512'],
  ...['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_512'],
];

/** Spec → its signing algorithms, in the order of GetPublicKey. Empty: a key that cannot sign. */
export const SIGNING_ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  RSA_2048: rsa,
  RSA_3072: rsa,
  RSA_4096: rsa,
  ECC_NIST_P256: ['ECDSA_SHA_256'],
  ECC_NIST_P384: ['ECDSA_SHA_384'],
  ECC_NIST_P521: ['ECDSA_SHA_512'],
  ECC_SECG_P256K1: ['ECDSA_SHA_256'],
  ECC_NIST_EDWARDS25519: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
  SYMMETRIC_DEFAULT: [],
};

const CURVES: Readonly<Record<string, string>> = {
  ECC_NIST_P256: 'prime256v1',
  ECC_NIST_P384: 'secp384r1',
  ECC_NIST_P521: 'secp521r1',
  ECC_SECG_P256K1: 'secp256k1',
};

/** The private key. Undefined for a symmetric key. */
export function generate(spec: string): KeyObject | undefined {
  if (spec === 'SYMMETRIC_DEFAULT') return undefined;
  if (spec === 'ECC_NIST_EDWARDS25519') return generateKeyPairSync('ed25519').privateKey;
  const curve = CURVES[spec];
  if (curve !== undefined) return generateKeyPairSync('ec', { namedCurve: curve }).privateKey;
  return generateKeyPairSync('rsa', { modulusLength: Number(spec.slice('RSA_'.length)) }).privateKey;
}

/** The spec that a private key has; undefined if KMS has none for it. */
export function specOf(key: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ed25519') return 'ECC_NIST_EDWARDS25519';
  const spec =
    key.asymmetricKeyType === 'rsa'
      ? `RSA_${String(modulusLength)}`
      : Object.keys(CURVES).find((name) => CURVES[name] === namedCurve);
  return spec !== undefined && spec in SIGNING_ALGORITHMS ? spec : undefined;
}
