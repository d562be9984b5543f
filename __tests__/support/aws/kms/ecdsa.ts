/** ECDSA over a digest. Node's crypto signs messages only: it always hashes. Source: FIPS 186-5 §6.4.1. */
import { createECDH, randomBytes, type KeyObject } from 'node:crypto';

/** The order of each curve's base point. Source: SEC 2 §2. */
const ORDERS: Readonly<Record<string, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  secp384r1:
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  secp521r1:
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
};

/** The signature in DER. `digest` is not longer than the order. */
export function signDigest(key: KeyObject, digest: Buffer): Buffer {
  const curve = key.asymmetricKeyDetails?.namedCurve ?? '';
  const order = ORDERS[curve];
  const { d = '' } = key.export({ format: 'jwk' });
  if (order === undefined) throw new TypeError(`no order of the curve ${curve}`);
  const size = Math.ceil(order.toString(16).length / 2);
  const nonce = (numberOf(randomBytes(size + 8)) % (order - 1n)) + 1n;
  const r = abscissa(curve, bytesOf(nonce, size)) % order;
  const s = (inverse(nonce, order) * (numberOf(digest) + r * numberOf(Buffer.from(d, 'base64url')))) % order;
  return r === 0n || s === 0n ? signDigest(key, digest) : der([r, s]);
}

/** The first coordinate of `nonce` times the base point. */
function abscissa(curve: string, nonce: Buffer): bigint {
  const point = createECDH(curve);
  point.setPrivateKey(nonce);
  const bytes = point.getPublicKey();
  return numberOf(bytes.subarray(1, (bytes.length + 1) / 2));
}

/** The order is prime, so Fermat's little theorem gives the inverse. */
function inverse(value: bigint, prime: bigint): bigint {
  let [result, base, exponent] = [1n, value % prime, prime - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % prime;
    base = (base * base) % prime;
  }
  return result;
}

/** SEQUENCE of two INTEGERs (X.690 §8.3, §8.9). */
function der(numbers: readonly bigint[]): Buffer {
  const body = Buffer.concat(
    numbers.map((number) => {
      const bytes = bytesOf(number, Math.ceil(number.toString(16).length / 2));
      return element(2, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
    }),
  );
  return element(0x30, body);
}

function element(tag: number, body: Buffer): Buffer {
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.of(tag, ...length), body]);
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex') || '0'}`);
}

function bytesOf(number: bigint, size: number): Buffer {
  return Buffer.from(number.toString(16).padStart(size * 2, '0'), 'hex');
}
