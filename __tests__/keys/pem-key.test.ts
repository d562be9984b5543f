/** PEM and PKCS#8 keys keep every integer, those with zeros in front too, when they become OpenSSH's. */
import { describe, expect, it } from '@jest/globals';
import { createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { readPemKey } from '../../src/keys/pem-key.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { failureOf } from '../support/failure-of.ts';
import { publicHalf, toPem } from '../support/keygen.ts';

const curves = ['P-256', 'P-384', 'P-521'] as const;
const coordinates = ['x', 'y', 'd'] as const;

/** A key whose coordinate is shorter than its curve's: one in 256, on P-521 one in two. */
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
  describe.each(coordinates)('with zeros in front of its %s', (coordinate) => {
    const key = curveKey(curve, coordinate, 1);

    it.each(['pkcs8', 'sec1'] as const)('is the same key to ssh-keygen (%s)', (type) => {
      const { text, publicKey } = parsePrivateKey(pem(key, type), '/ci/key');
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
      expect(jwk(toPem(parsePrivateKey(pem(key, type), '/ci/key').text))).toEqual(jwk(key));
    }
  });

  it('keeps an integer with zeros in front', () => {
    const shorter = (name: 'd' | 'qi', size: number): KeyObject => {
      for (;;) {
        const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
        if (Buffer.from(jwk(privateKey)[name] ?? '', 'base64url').length < size) return privateKey;
      }
    };
    for (const key of [shorter('d', 64), shorter('qi', 32)]) {
      const { privatePart } = readPemKey(pem(key, 'pkcs1'), '/ci/key');
      const integers = ['n', 'e', 'd', 'qi', 'p', 'q'].map((name) =>
        BigInt(`0x${Buffer.from(String(jwk(key)[name]), 'base64url').toString('hex')}`),
      );
      expect(mpints(privatePart)).toEqual(integers);
    }
  });
});

/** RFC 4251 §5, read as it is written there: two's complement, so that a lost zero would make a number negative. */
function mpints(bytes: Buffer): bigint[] {
  if (bytes.length === 0) return [];
  const length = bytes.readUInt32BE(0);
  const digits = bytes.subarray(4, 4 + length).toString('hex');
  const value = BigInt.asIntN(length * 8, BigInt(`0x${digits}`));
  return [value, ...mpints(bytes.subarray(4 + length))];
}

describe('PEM that is no key', () => {
  it.each(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ED25519 PRIVATE KEY'])(
    'is KEY_MALFORMED (%s)',
    (label) => {
      const text = `-----BEGIN ${label}-----\n${'QUJD'.repeat(32)}\n-----END ${label}-----\n`;
      expect(failureOf(() => readPemKey(text, '/ci/key'))).toMatchObject({ code: 'KEY_MALFORMED' });
    },
  );

  it('is KEY_MALFORMED where its two halves belong to different keys', () => {
    const [one, other] = [curveKey('P-256', 'x', 0), curveKey('P-256', 'x', 0)].map((key) =>
      key.export({ type: 'sec1', format: 'der' }),
    );
    if (!one || !other) throw new Error('no keys');
    const mixed = Buffer.concat([one.subarray(0, -65), other.subarray(-65)]).toString('base64');
    const text = `-----BEGIN EC PRIVATE KEY-----\n${mixed}\n-----END EC PRIVATE KEY-----\n`;
    expect(failureOf(() => parsePrivateKey(text, '/ci/key'))).toMatchObject({ code: 'KEY_MALFORMED' });
  });
});
