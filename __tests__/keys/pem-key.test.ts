/** PEM and PKCS#8 keys keep every integer in OpenSSH's format, even with leading zeros. */
import { describe, expect, it } from '@jest/globals';
import {
  createPrivateKey,
  generateKeyPairSync,
  generatePrimeSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';
import { readPemKey } from '../../src/keys/pem-key.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { failureOf } from '../support/failure-of.ts';
import { publicHalf, toPem } from '../support/keygen.ts';

const curves = ['P-256', 'P-384', 'P-521'] as const;
const coordinates = ['x', 'y', 'd'] as const;

/** A key with a coordinate that is shorter than its curve's size: one in 256, on P-521 one in two. */
function curveKey(namedCurve: string, coordinate: (typeof coordinates)[number], zeros: number): KeyObject {
  for (;;) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve });
    const value = Buffer.from(privateKey.export({ format: 'jwk' })[coordinate] ?? '', 'base64url');
    if (value.subarray(0, zeros).every((byte) => byte === 0)) return privateKey;
  }
}

const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1'): string =>
  (type === 'pkcs8'
    ? key.export({ type, format: 'pem' })
    : key.export({ type, format: 'pem' } as { type: 'sec1'; format: 'pem' })
  ).toString();
const jwk = (text: string | KeyObject): JsonWebKey =>
  (typeof text === 'string' ? createPrivateKey(text) : text).export({ format: 'jwk' });

describe.each(curves)('a key on %s', (curve) => {
  describe.each(coordinates)('with leading zeros in its %s', (coordinate) => {
    const key = curveKey(curve, coordinate, 1);

    it.each(['pkcs8', 'sec1'] as const)('is the same key for ssh-keygen (%s)', (type) => {
      const parsed = parsePrivateKey(pem(key, type), '/ci/key');
      const { publicKey } = parsed;
      const text = writeOpensshKey(parsed);
      expect(publicHalf(text)).toBe(`${publicKey.type} ${publicKey.blob.toString('base64')}`);
      expect(jwk(toPem(text))).toEqual(jwk(key));
    });
  });
});

describe('an RSA key', () => {
  const shapes = [1024, 1032, 2048].flatMap((modulusLength) =>
    [3, 65_537].map((publicExponent) => ({ modulusLength, publicExponent })),
  );

  it.each(shapes)('keeps all its integers: %j', (shape) => {
    const key = generateKeyPairSync('rsa', shape).privateKey;
    for (const type of ['pkcs1', 'pkcs8'] as const) {
      expect(jwk(toPem(writeOpensshKey(parsePrivateKey(pem(key, type), '/ci/key'))))).toEqual(jwk(key));
    }
  });

  it('keeps an integer with leading zeros', () => {
    for (const key of [rsaKeyWithShort('d', 128), rsaKeyWithShort('qi', 64)]) {
      const { fields } = readPemKey(pem(key, 'pkcs1'), '/ci/key');
      const integers = ['n', 'e', 'd', 'qi', 'p', 'q'].map((name) => integer(jwk(key), name));
      expect(fields.map(signed)).toEqual(integers);
    }
  });
});

const integer = (key: JsonWebKey, name: string): bigint =>
  BigInt(`0x${Buffer.from(String(key[name]), 'base64url').toString('hex')}`);

/** An RSA key with an integer that is shorter than usual. About one pair of primes in 200 makes one. */
function rsaKeyWithShort(name: 'd' | 'qi', size: number): KeyObject {
  const primes: bigint[] = [];
  for (;;) {
    // A fixed pool of primes may have no such pair.
    const p = generatePrimeSync(512, { bigint: true });
    for (const q of primes) {
      const e = 65_537n;
      const numbers = { n: p * q, e, d: inverse(e, (p - 1n) * (q - 1n)), p, q, qi: inverse(q, p) };
      if (p === q || numbers[name] >= 1n << BigInt(8 * (size - 1))) continue;
      const { d } = numbers;
      const all = Object.entries({ ...numbers, dp: d % (p - 1n), dq: d % (q - 1n) });
      const key = Object.fromEntries(all.map(([one, value]) => [one, base64url(value)]));
      return createPrivateKey({ key: { kty: 'RSA', ...key }, format: 'jwk' });
    }
    primes.push(p);
  }
}

function base64url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}

/** Euclid's algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n) [a, b, x, y] = [b % a, a, y - (b / a) * x, x];
  return ((x % modulus) + modulus) % modulus;
}

/** RFC 4251 §5: two's complement, so a lost zero would make a number negative. */
function signed(field: Buffer): bigint {
  return BigInt.asIntN(field.length * 8, BigInt(`0x${field.toString('hex')}`));
}

describe('PEM without a valid key', () => {
  it.each(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ED25519 PRIVATE KEY'])(
    'is KEY_MALFORMED (%s)',
    (label) => {
      const text = `-----BEGIN ${label}-----\n${'QUJD'.repeat(32)}\n-----END ${label}-----\n`;
      expect(failureOf(() => readPemKey(text, '/ci/key'))).toMatchObject({ code: 'KEY_MALFORMED' });
    },
  );

  it('is KEY_MALFORMED if its two halves belong to different keys', () => {
    const [one, other] = [curveKey('P-256', 'x', 0), curveKey('P-256', 'x', 0)].map((key) =>
      key.export({ type: 'sec1', format: 'der' }),
    );
    if (!one || !other) throw new Error('no keys');
    const mixed = Buffer.concat([one.subarray(0, -65), other.subarray(-65)]).toString('base64');
    const text = `-----BEGIN EC PRIVATE KEY-----\n${mixed}\n-----END EC PRIVATE KEY-----\n`;
    expect(failureOf(() => parsePrivateKey(text, '/ci/key'))).toMatchObject({ code: 'KEY_MALFORMED' });
  });
});
