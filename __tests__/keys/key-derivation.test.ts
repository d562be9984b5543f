/** The limit of the work that an encrypted PKCS#8 key may ask for. OpenSSL itself derives for as long as the key says. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { decryptKey } from '../../src/keys/encrypted-key.ts';
import { derivationWork } from '../../src/keys/key-derivation.ts';

const passphrase = 'correct horse';
const { privateKey } = generateKeyPairSync('ed25519');

/** @param content bytes, or the elements in it */
function der(tag: number, content: Buffer | readonly Buffer[]): Buffer {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.concat(content);
  const long = bytes.length < 0x80 ? [] : [bytes.length >> 8, bytes.length & 0xff];
  const length = long.length === 0 ? [bytes.length] : [0x82, ...long];
  return Buffer.concat([Buffer.of(tag, ...length), bytes]);
}
const sequence = (...content: readonly Buffer[]): Buffer => der(0x30, content);
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const integer = (hex: string): Buffer => der(0x02, Buffer.from(hex, 'hex'));
const octets = (content: Buffer): Buffer => der(0x04, content);
const salt = octets(Buffer.alloc(8, 1));

const aes = sequence(identifier('60864801650304012a'), octets(Buffer.alloc(16, 2)));
const pbes2 = (...kdf: readonly Buffer[]): Buffer =>
  sequence(identifier('2a864886f70d01050d'), sequence(sequence(...kdf), aes));
const pbkdf2 = (iterations: string, ...more: readonly Buffer[]): Buffer =>
  pbes2(identifier('2a864886f70d01050c'), sequence(salt, integer(iterations), ...more));
const scrypt = (...numbers: readonly string[]): Buffer =>
  pbes2(identifier('2b06010401da47040b'), sequence(salt, ...numbers.map(integer)));
/** With another element instead of the salt. */
const behind = (...bytes: readonly number[]): Buffer =>
  pbes2(identifier('2a864886f70d01050c'), sequence(Buffer.from(bytes), integer('7fffffff')));
/** 3DES, as PKCS #12 has it. */
const pkcs12 = (iterations: string): Buffer =>
  sequence(identifier('2a864886f70d010c0103'), sequence(salt, integer(iterations)));

const info = (algorithm: Buffer): Buffer => sequence(algorithm, octets(Buffer.alloc(64, 3)));
const armored = (bytes: Buffer, label = 'ENCRYPTED PRIVATE KEY'): string =>
  `-----BEGIN ${label}-----\n${bytes.toString('base64')}\n-----END ${label}-----\n`;
const encrypted = (key: KeyObject): string =>
  key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();

const failureOf = async (text: string): Promise<Pick<Failure, 'code' | 'message'>> => {
  const failure: unknown = await decryptKey(text, passphrase, '/ci/key').catch((error: unknown) => error);
  if (!(failure instanceof Failure)) throw new Error('it was not refused');
  return { code: failure.code, message: failure.message };
};

describe('the work of an encrypted PKCS#8 key', () => {
  it.each<[string, Buffer, bigint]>([
    ['iterations of PBKDF2', pbkdf2('0800'), 2048n],
    ['iterations of PBKDF2 beside a length', pbkdf2('0800', integer('20')), 2048n],
    ['iterations with zeros in front of them', pbkdf2('000000ffff'), 65_535n],
    ['iterations of PKCS #12', pkcs12('7fffffff'), 2_147_483_647n],
    ['the product of the numbers of scrypt', scrypt('4000', '08', '02'), 262_144n],
    ['not the length of the key of scrypt', scrypt('4000', '08', '02', '20'), 262_144n],
    ['nothing where there is no number', pbes2(identifier('2a864886f70d01050c'), sequence(salt)), 0n],
  ])('is %s', (_, algorithm, work) => {
    expect(derivationWork(info(algorithm))).toBe(work);
  });

  it('is that of the keys that OpenSSL writes', () => {
    expect(derivationWork(Buffer.from(encrypted(privateKey).replace(/-----.*-----|\n/g, ''), 'base64'))).toBe(
      2048n,
    );
  });

  it.each<[string, Buffer, string]>([
    ['PBKDF2', pbkdf2('00989681'), '10000001'],
    ['PBKDF2 with the most that OpenSSL takes', pbkdf2('7fffffff'), '2147483647'],
    ['PBKDF2 with a length in front of the iterations', pbkdf2('20', integer('7fffffff')), '2147483647'],
    ['PBKDF2 behind a length of four bytes', behind(4, 0x84, 0, 0, 0, 1, 1), '2147483647'],
    ['PKCS #12', pkcs12('7fffffff'), '2147483647'],
    ['scrypt with as much memory as OpenSSL gives', scrypt('4000', '08', '4000'), '2147483648'],
    ['a number that is as long as the value', pbkdf2('7f'.repeat(3000)), 'more than 9223372036854775808'],
  ])('is refused at once where it is too much: %s', async (_, algorithm, rounds) => {
    expect(await failureOf(armored(info(algorithm)))).toEqual({
      code: 'KEY_UNSUPPORTED',
      message: `the private key in /ci/key asks for ${rounds} rounds of key derivation`,
    });
  });

  it('may be ten million', async () => {
    // The cipher is unknown, so that nothing is derived.
    const derivation = sequence(identifier('2a864886f70d01050c'), sequence(salt, integer('00989680')));
    const schemes = sequence(derivation, sequence(identifier('2a03'), salt));
    const { message } = await failureOf(armored(info(sequence(identifier('2a864886f70d01050d'), schemes))));
    expect(message).toBe('the private key in /ci/key has an unknown cipher');
  });

  it.each<[string, Buffer]>([
    [
      'has no end',
      Buffer.concat([Buffer.of(0x30, 0x80), info(pbkdf2('7fffffff')).subarray(4), Buffer.of(0, 0)]),
    ],
    ['is cut off', info(pbkdf2('0800')).subarray(0, -1)],
    ['is empty', Buffer.of()],
    ['is one byte', Buffer.of(0x30)],
    ['has a long tag', sequence(Buffer.concat([Buffer.of(0x1f), pbkdf2('7fffffff')]))],
    ['has a length of five bytes', Buffer.concat([Buffer.of(0x30, 0x85, 0, 0, 0, 0, 1), Buffer.of(0)])],
    ['has a salt without an end', info(behind(0x24, 0x80, 4, 1, 1, 0, 0))],
    ['has a salt with a long tag', info(behind(0x1f, 1, 0))],
    ['has a salt with a length of five bytes', info(behind(4, 0x85, 0, 0, 0, 0, 1, 1))],
    ['has no algorithm', sequence(octets(Buffer.alloc(8)))],
    ['has an algorithm without a name', info(sequence(salt, salt))],
  ])('is not looked for by OpenSSL where the key %s', async (_, bytes) => {
    expect((await failureOf(armored(bytes))).code).toBe('KEY_MALFORMED');
  });

  it('is that of the bytes that are opened', async () => {
    const text = encrypted(privateKey);
    const opened = await decryptKey(text, passphrase, '/ci/key');
    expect(createPrivateKey(opened).equals(privateKey)).toBe(true);
    // Node reads base64 past these, and takes the first for "+".
    for (const other of ['-', '!', '='])
      expect((await failureOf(text.replace('\nM', `\nM${other}`))).code).toBe('KEY_MALFORMED');
  });
});
