import { beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicKeyLine } from '../../src/keys/public-key-line.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { mpint, string } from '../../src/keys/wire.ts';
import { failureOf } from '../support/failure-of.ts';
import { certify } from '../support/keygen.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';

const kinds = [
  { type: 'ed25519' },
  { type: 'ecdsa', bits: 256 },
  { type: 'ecdsa', bits: 384 },
  { type: 'ecdsa', bits: 521 },
  { type: 'rsa' },
] as const;
const lineOf = (type: string, ...fields: readonly Buffer[]): string =>
  `${type} ${Buffer.concat([string(type), ...fields]).toString('base64')}`;

describe('the line of a public key', () => {
  let key: SshKey;
  let point: Buffer;

  beforeAll(async () => {
    key = await makeSshKey({ comment: 'octo@acme' });
    point = Buffer.from(key.publicKey.split(' ')[1] ?? '', 'base64').subarray(-32);
  });

  it.each(kinds)('is read for type %j', async (kind) => {
    const { publicKey } = await makeSshKey({ ...kind, comment: 'two words' });
    const read = parsePublicKeyLine(`\uFEFF# comment\n\n${publicKey}\r\n`, 'key.pub');
    expect([authorizedKeysLine(read), read.comment]).toEqual([publicKey, 'two words']);
  });

  it('is read for a key in a security key', () => {
    const line = lineOf('sk-ssh-ed25519@openssh.com', string(point), string('ssh:'));
    expect(authorizedKeysLine(parsePublicKeyLine(line, 'key.pub'))).toBe(line);
  });

  it('shows control characters of its comment', () => {
    const read = parsePublicKeyLine(`${key.publicKey}\u0007`, 'key.pub');
    expect(authorizedKeysLine(read)).toBe(`${key.publicKey}\\x07`);
  });

  it.each<[string, () => string, RegExp]>([
    ['nothing', () => ' \n# comment\n', /^key\.pub is empty$/],
    ['a private key', () => key.privateKey, /^key\.pub holds a private key$/],
    ['two lines', () => `${key.publicKey}\n${key.publicKey}\n`, /more than one line/],
    ['a certificate', () => certify(key.publicKey, key.privateKey), /holds a certificate/],
    ['other text', () => 'hello world', /holds no public key/],
    ['a type alone', () => 'ssh-ed25519', /holds no public key/],
    ['half a key', () => key.publicKey.slice(0, 60), /damaged or cut off/],
    ['two types', () => key.publicKey.replace('ssh-ed25519', 'ssh-rsa'), /damaged or cut off/],
    ['more bytes', () => lineOf('ssh-ed25519', string(point), string('')), /damaged or cut off/],
    ['a short point', () => lineOf('ssh-ed25519', string(point.subarray(1))), /damaged or cut off/],
    [
      'a point that is not on the curve',
      () => lineOf('ecdsa-sha2-nistp256', string('nistp256'), string(Buffer.alloc(65, 4))),
      /damaged or cut off/,
    ],
    [
      'another curve than its type',
      () => lineOf('ecdsa-sha2-nistp256', string('nistp384'), string(Buffer.alloc(97, 4))),
      /damaged or cut off/,
    ],
    ['DSA', () => lineOf('ssh-dss', string(point)), /of a type that cannot be signed/],
    [
      'a short RSA key',
      () => lineOf('ssh-rsa', mpint(Buffer.of(1, 0, 1)), mpint(Buffer.alloc(128, 255))),
      /an RSA key of 1024 bits/,
    ],
  ])('is refused if it is %s', (_, text, message) => {
    const failure = failureOf(() => parsePublicKeyLine(text(), 'key.pub'));
    expect([failure.code, failure.message]).toEqual(['INPUT_INVALID', expect.stringMatching(message)]);
  });
});
