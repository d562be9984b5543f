/** The numbers of private keys: lengths, and whether they belong together. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { areWhole, privateJwk, rsaBits, unusable } from '../../src/keys/key-fields.ts';
import { memorySigner } from '../../src/keys/memory-signer.ts';
import { readPemKey } from '../../src/keys/pem-key.ts';
import { mpint, string } from '../../src/keys/wire.ts';
import { failureOf } from '../support/failure-of.ts';

const bytesOf = (number: bigint): Buffer => {
  const hex = number.toString(16);
  return mpint(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')).subarray(4);
};
const numberOf = (field: Buffer | undefined): bigint => BigInt(`0x${field?.toString('hex') ?? ''}`);
const pair = generateKeyPairSync('rsa', { modulusLength: 1024 });
const { fields } = readPemKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'the key');
const [n = 0n, e = 0n, d = 0n, coefficient = 0n, p = 0n, q = 0n] = fields.map(numberOf);
const isWhole = (...numbers: readonly bigint[]): boolean => areWhole('ssh-rsa', numbers.map(bytesOf));

describe('the numbers of an RSA key', () => {
  it('belong together', () => {
    expect(isWhole(n, e, d, coefficient, p, q)).toBe(true);
    expect(privateJwk('ssh-rsa', fields)).toEqual(pair.privateKey.export({ format: 'jwk' }));
  });

  it.each<[string, readonly bigint[]]>([
    ['the modulus is another one', [n + 2n, e, d, coefficient, p, q]],
    ['the public exponent is another one', [n, e + 2n, d, coefficient, p, q]],
    ['the private exponent is wrong for the first prime only', [n, e, d + q - 1n, coefficient, p, q]],
    ['the private exponent is wrong for the second prime only', [n, e, d + p - 1n, coefficient, p, q]],
    ['the coefficient is another one', [n, e, d, coefficient + 1n, p, q]],
    ['the primes are 1 and the modulus', [n, e, d, coefficient, 1n, n]],
    ['the primes are the modulus and 1', [n, e, d, coefficient, n, 1n]],
    ['the first prime is 2', [2n * q, e, d, coefficient, 2n, q]],
  ])('do not belong together if %s', (_, numbers) => {
    expect(isWhole(...numbers)).toBe(false);
  });

  it('may be small', () => {
    expect(isWhole(15n, 3n, 3n, 2n, 3n, 5n)).toBe(true);
    expect(isWhole(15n, 3n, 3n, 2n, 5n, 3n)).toBe(true);
  });

  it('are never negative, and never empty', () => {
    const small = [15n, 3n, 0x8003n, 2n, 3n, 5n].map(bytesOf);
    expect(areWhole('ssh-rsa', small)).toBe(true);
    expect(areWhole('ssh-rsa', small.with(2, Buffer.of(0x80, 0x03)))).toBe(false);
    for (const [at] of fields.entries()) {
      expect(areWhole('ssh-rsa', fields.with(at, Buffer.alloc(0)))).toBe(false);
      expect(areWhole('ssh-rsa', fields.with(at, Buffer.alloc(1)))).toBe(false);
      expect(areWhole('ssh-rsa', fields.with(at, Buffer.of(0xff, 1)))).toBe(false);
    }
  });

  it('are zero without bytes', () => {
    const empty = Array.from({ length: 6 }, () => Buffer.alloc(0));
    expect(privateJwk('ssh-rsa', empty)).toMatchObject({ n: 'AA', e: 'AA', d: 'AA' });
  });
});

describe('the length of an RSA key', () => {
  it.each([
    [Buffer.alloc(0), 0],
    [Buffer.alloc(2), 0],
    [Buffer.of(1), 1],
    [Buffer.of(0, 0, 1), 1],
    [Buffer.of(0x7f, 0xff), 15],
    [Buffer.of(0, 0xff, 0xff), 16],
  ])('%j is %i bits', (modulus, bits) => {
    expect(rsaBits(Buffer.concat([string('ssh-rsa'), string(Buffer.of(3)), string(modulus)]))).toBe(bits);
  });

  it('is none for another type', () => {
    expect(rsaBits(Buffer.concat([string('ssh-ed25519'), string(''), string('')]))).toBeUndefined();
  });

  it.each([
    [1023, 'is an RSA key of 1023 bits: OpenSSH accepts none below 1024'],
    [1024, undefined],
    [16_384, undefined],
    [16_385, 'is an RSA key of 16385 bits: OpenSSH accepts none above 16384'],
  ])('of %i bits is told: %j', (bits, problem) => {
    expect(unusable('ssh-rsa', [bytesOf(1n << BigInt(bits - 1))])).toBe(problem);
    expect(unusable('ssh-ed25519', [bytesOf(1n)])).toBeUndefined();
  });
});

describe('the numbers of an Ed25519 key', () => {
  const pem = (): string =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const key = readPemKey(pem(), 'the key');
  const [point = Buffer.alloc(0), seed = Buffer.alloc(0)] = key.fields;
  const other = readPemKey(pem(), 'another key').fields[0] ?? Buffer.alloc(0);

  it('belong together if both fields have the same public key', () => {
    expect(privateJwk('ssh-ed25519', [point, seed])).toMatchObject({ kty: 'OKP', crv: 'Ed25519' });
    expect(privateJwk('ssh-ed25519', [other, seed])).toBeUndefined();
    expect(areWhole('ssh-ed25519', [other, seed])).toBe(false);
  });

  it('that do not belong together do not sign', () => {
    const failure = failureOf(() => memorySigner({ ...key, fields: [other, seed] }));
    expect([failure.code, failure.message, failure.hint]).toEqual([
      'KEY_MALFORMED',
      'the private key in  is damaged',
      'store the whole file of the key again',
    ]);
  });
});

describe('the numbers of an ECDSA key', () => {
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const key = readPemKey(pem.export({ type: 'pkcs8', format: 'pem' }).toString(), 'the key');
  const [curve = Buffer.alloc(0), point = Buffer.alloc(0), secret = Buffer.alloc(0)] = key.fields;
  const secretIn = (field: Buffer): Buffer | undefined => {
    const jwk = privateJwk(key.publicKey.type, [curve, point, field]);
    return jwk && Buffer.from(jwk.d ?? '', 'base64url');
  };

  it.each<[string, Buffer, Buffer | undefined]>([
    ['of one byte', Buffer.of(7), Buffer.concat([Buffer.alloc(31), Buffer.of(7)])],
    ['of 32 bytes', Buffer.alloc(32, 7), Buffer.alloc(32, 7)],
    ['with zeros at its start', Buffer.concat([Buffer.alloc(4), Buffer.alloc(32, 7)]), Buffer.alloc(32, 7)],
    ['of 33 bytes', Buffer.alloc(33, 7), undefined],
    ['that is negative', Buffer.alloc(32, 0x80), undefined],
    ['that is zero', Buffer.alloc(32), undefined],
    ['that is empty', Buffer.alloc(0), undefined],
  ])('with a secret number %s have it in 32 bytes, or are none', (_, field, expected) => {
    expect(secretIn(field)).toEqual(expected);
  });

  it('belong together only if the public half is that of the secret number', () => {
    expect(areWhole(key.publicKey.type, key.fields)).toBe(true);
    expect(areWhole(key.publicKey.type, [curve, point, Buffer.of(7)])).toBe(false);
    expect(areWhole(key.publicKey.type, [Buffer.from('nistp384'), point, secret])).toBe(false);
    expect(areWhole('ecdsa-sha2-nistp384', key.fields)).toBe(false);
  });
});
