/** Lost bytes, flipped bits, arbitrary text: the result is a Failure or a whole key, and no error shows the key. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { linesToMask, parsePrivateKey } from '../../src/keys/private-key.ts';
import { makeSshKey, type SshKeyOptions } from '../support/ssh-keys.ts';
import { leakOf, outcomeOf } from '../support/failure-of.ts';
import { publicHalf, signAndCheck } from '../support/keygen.ts';
import { bodyOf } from '../support/stored-forms.ts';
import { anyText } from '../support/any-text.ts';

const kinds = [
  { type: 'ed25519' },
  { type: 'ed25519', format: 'PKCS8' },
  { type: 'rsa' },
  { type: 'rsa', format: 'PEM' },
  { type: 'ecdsa', bits: 521 },
  { type: 'ecdsa', bits: 256, format: 'PKCS8' },
] as const satisfies SshKeyOptions[];
const keys = await Promise.all(
  kinds.map(async (options) => ({ kind: JSON.stringify(options), ...(await makeSshKey(options)) })),
);

const parse = (stored: string): ReturnType<typeof parsePrivateKey> | Failure =>
  outcomeOf(() => parsePrivateKey(stored, '/ci/key'));

const codeOf = (outcome: ReturnType<typeof parse>): string =>
  outcome instanceof Failure ? outcome.code : 'a key';

/** The possible codes for a damaged key; the rest of it may not look like a key. */
const codes = ['KEY_MALFORMED', 'KEY_NOT_PRIVATE', 'KEY_UNSUPPORTED', 'KEY_ENCRYPTED', 'KEY_EMPTY'];

describe.each(keys)('a key ($kind)', ({ privateKey }) => {
  const body = bodyOf(privateKey);
  const lastBodyByte = privateKey.lastIndexOf('\n-----END');

  it('truncated anywhere is a Failure that does not show it', () => {
    for (let length = 0; length <= lastBodyByte + 10; length += 10) {
      const stored = privateKey.slice(0, length);
      const whole = parse(stored);
      const inBase64 = parse(Buffer.from(stored).toString('base64'));
      for (const outcome of [whole, inBase64]) {
        expect(outcome).toBeInstanceOf(Failure);
        expect(codes).toContain((outcome as Failure).code);
        expect(leakOf(outcome as Failure, body)).toBeUndefined();
      }
      if (length > 40) expect(whole).toMatchObject({ code: 'KEY_MALFORMED' });
    }
  });

  it('truncated between BEGIN and END is KEY_MALFORMED', () => {
    const [begin = '', end = ''] = privateKey.match(/^-----.*-----$/gm) ?? [];
    for (let length = 0; length < body.length; length += 10) {
      const outcome = parse(`${begin}\n${body.slice(0, length)}\n${end}\n`);
      expect(outcome).toMatchObject({ code: 'KEY_MALFORMED' });
    }
  });

  it('with a character changed is a Failure that does not show it, or still parses', () => {
    fc.assert(
      fc.property(
        fc.nat(privateKey.length - 1),
        fc.string({ minLength: 0, maxLength: 3 }),
        (at, inserted) => {
          const outcome = parse(privateKey.slice(0, at) + inserted + privateKey.slice(at + 1));
          return !(outcome instanceof Failure) || leakOf(outcome, body) === undefined;
        },
      ),
      { numRuns: 500 },
    );
  });

  it('with a bit flipped is a Failure that does not show it, or still parses', () => {
    const [begin = '', end = ''] = privateKey.match(/^-----.*-----$/gm) ?? [];
    const bytes = Buffer.from(body, 'base64');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const outcome = parse(`${begin}\n${flip(bytes, at, bit).toString('base64')}\n${end}\n`);
        return (
          !(outcome instanceof Failure) ||
          (codes.includes(outcome.code) && leakOf(outcome, body) === undefined)
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('a flipped bit in the secret part', () => {
  // Ed25519: the seed's 32 bytes come before the second copy of the public key in the private section.
  const [ed25519] = keys;
  const file = ed25519?.privateKey ?? '';
  const bytes = Buffer.from(bodyOf(file), 'base64');
  const seed = bytes.lastIndexOf('ssh-ed25519') + 'ssh-ed25519'.length + 4 + 32 + 4;

  it.each([0, 15, 31])(
    'of an Ed25519 key is detected, because its signatures would be invalid (byte %i)',
    (at) => {
      const damaged = `-----BEGIN OPENSSH PRIVATE KEY-----\n${flip(bytes, seed + at, 3).toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
      expect(() => signAndCheck(damaged)).toThrow();
      expect(codeOf(parse(damaged))).toBe('KEY_MALFORMED');
    },
  );

  it('does not change the original key, which still signs', () => {
    expect(signAndCheck(file)).toContain('Good "test" signature');
    expect(publicHalf(file)).toContain('ssh-ed25519 ');
  });
});

describe('any text', () => {
  const texts = fc.oneof(
    anyText(),
    fc.string({ unit: 'grapheme' }),
    fc.base64String({ maxLength: 400 }),
    fc
      .uint8Array({ maxLength: 200 })
      .map((bytes) => armored(Buffer.concat([Buffer.from('openssh-key-v1\0'), bytes]))),
    fc
      .array(
        fc.constantFrom(...'-----BEGIN |RSA |PRIVATE KEY-----|-----END |\n|\\n|"|\'|: |AAAA|{|='.split('|')),
      )
      .map((parts) => parts.join('')),
  );

  it('is a Failure and no other error', () => {
    const allowed = [...codes, 'KEY_NOT_DECRYPTED'];
    fc.assert(
      fc.property(texts, (text) => allowed.includes(codeOf(parse(text)))),
      { numRuns: 2000 },
    );
  });

  it('is never masked in short pieces that would hide other log text', () => {
    fc.assert(fc.property(texts, (text) => linesToMask(text).every((line) => line.trim().length >= 8)));
  });
});

function armored(bytes: Buffer): string {
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function flip(bytes: Buffer, at: number, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
  return flipped;
}
