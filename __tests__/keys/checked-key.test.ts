import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { checkKey } from '../../src/keys/checked-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { failureOf } from '../support/failure-of.ts';
import { makeSshKey, type SshKey, type SshKeyOptions } from '../support/ssh-keys.ts';

/** The public half, as ssh-keygen reads it out of a file with this text. */
function readByOpenssh(text: string, passphrase = ''): string {
  const folder = mkdtempSync(join(tmpdir(), 'checked-'));
  try {
    const file = join(folder, 'key');
    writeFileSync(file, text, { mode: 0o600 });
    const line = execFileSync('ssh-keygen', ['-y', '-P', passphrase, '-f', file], { encoding: 'utf8' });
    return line.trim().split(' ').slice(0, 2).join(' ');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const withoutComment = (line: string): string => line.split(' ').slice(0, 2).join(' ');

describe('a key that is to be stored', () => {
  let key: SshKey;

  beforeAll(async () => {
    key = await makeSshKey({ comment: 'deploy@acme' });
  });

  it.each<[string, (text: string) => string]>([
    ['as it is', (text) => text],
    ['without its last line end', (text) => text.trimEnd()],
    ['with CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['with the line ends of a terminal', (text) => text.replaceAll('\n', '\r')],
    ['with a byte order mark', (text) => `\uFEFF${text}`],
    ['indented', (text) => text.replaceAll(/^/gm, '    ')],
    ['with literal line ends', (text) => text.replaceAll('\n', '\\n')],
    ['in base64', (text) => Buffer.from(text).toString('base64')],
    ['in quotes', (text) => `"${text.trim()}"`],
  ])('is stored as ssh-keygen wrote it, if it is given %s', (_, damage) => {
    const checked = checkKey(damage(key.privateKey), 'FILE');
    expect(checked.text).toBe(key.privateKey);
    expect(checked.encrypted).toBe(false);
    expect(checked.publicKey && authorizedKeysLine(checked.publicKey)).toBe(key.publicKey);
  });

  it('is refused as damaged if it is encrypted, and a byte of its public half is wrong', async () => {
    const { privateKey } = await makeSshKey({ type: 'rsa', passphrase: 'word' });
    const [begin = '', ...lines] = privateKey.trim().split('\n');
    const bytes = Buffer.from(lines.slice(0, -1).join(''), 'base64');
    const start = bytes.indexOf('ssh-rsa') + 'ssh-rsa'.length;
    // The first byte of the next field's length.
    bytes.set([0x40], start);
    const body = bytes.toString('base64').replace(/.{70}/g, '$&\n');
    const damaged = [begin, body, lines.at(-1), ''].join('\n');
    expect(failureOf(() => checkKey(damaged, 'FILE')).code).toBe('KEY_MALFORMED');
  });

  it.each<SshKeyOptions>([
    { type: 'rsa', format: 'PEM' },
    { type: 'rsa', format: 'PKCS8' },
    { type: 'ecdsa', format: 'PEM' },
    { type: 'ed25519', format: 'PKCS8' },
  ])('is repaired to what OpenSSH reads, in any format: %j', async (options) => {
    const made = await makeSshKey(options);
    const { text, publicKey } = checkKey(made.privateKey.trimEnd().replaceAll('\n', '\r\n '), 'FILE');
    expect(readByOpenssh(text)).toBe(withoutComment(made.publicKey));
    expect(publicKey?.comment).toBe('');
  });

  it.each<[SshKeyOptions, boolean]>([
    [{ format: 'OPENSSH' }, true],
    [{ type: 'rsa', format: 'OPENSSH' }, true],
    [{ type: 'rsa', format: 'PEM' }, false],
    [{ type: 'ecdsa', format: 'PKCS8' }, false],
  ])('may have a passphrase: %j, with a public half that is readable: %j', async (options, isReadable) => {
    const made = await makeSshKey({ ...options, passphrase: 'a secret word' });
    const { text, encrypted, publicKey } = checkKey(made.privateKey.replaceAll('\n', '\r\n').trim(), 'FILE');
    expect(encrypted).toBe(true);
    expect(readByOpenssh(text, 'a secret word')).toBe(withoutComment(made.publicKey));
    const line = publicKey && withoutComment(authorizedKeysLine(publicKey));
    expect(line).toBe(isReadable ? withoutComment(made.publicKey) : undefined);
  });

  it.each([undefined, 'a secret word'])(
    'is refused if it is a short RSA key (passphrase: %j)',
    async (passphrase) => {
      const short = await makeSshKey({ type: 'rsa', bits: 1024, ...(passphrase && { passphrase }) });
      const told = failureOf(() => checkKey(short.privateKey, 'FILE'));
      expect([told.code, told.message]).toEqual([
        'KEY_UNSUPPORTED',
        'the private key in FILE is an RSA key of 1024 bits, and less than 2048 are not safe',
      ]);
      expect(told.hint).toBe('make a new key: ssm-ssh-agent keygen NAME --type ed25519');
    },
  );

  it.each<[string, string, () => string, RegExp]>([
    ['nothing', 'KEY_EMPTY', () => ' \n', /put NAME FILE/],
    ['a public key', 'KEY_NOT_PRIVATE', () => key.publicKey, /the file without \.pub/],
    ['a half key', 'KEY_MALFORMED', () => key.privateKey.slice(0, 200), /ssh-keygen -y -f FILE/],
    ['two keys', 'KEY_MALFORMED', () => key.privateKey.repeat(2), /one key/],
    [
      "PuTTY's format",
      'KEY_UNSUPPORTED',
      () => 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nAAAAsecret\n',
      /puttygen KEY\.ppk/,
    ],
    ['a token', 'KEY_NOT_PRIVATE', () => `ghp_${'a1B2'.repeat(9)}\n`, /docs\/https\.md/],
    ['other text', 'KEY_NOT_PRIVATE', () => 'correct horse battery', /private key/],
  ])('is refused if it is %s: %s', (...[, code, make, hint]) => {
    const told = failureOf(() => checkKey(make(), 'FILE'));
    expect([told.code, told.hint]).toEqual([code, expect.stringMatching(hint)]);
    const shown = told.message + told.hint;
    for (const word of make()
      .split(/\s+/)
      .filter(({ length }) => length > 15))
      expect(shown).not.toContain(word);
    expect(shown).not.toContain('horse');
  });

  it('is refused if its halves do not match', () => {
    const other = generateKeyPairSync('ed25519')
      .publicKey.export({ format: 'der', type: 'spki' })
      .subarray(-32);
    const bytes = Buffer.from(key.privateKey.split('\n').slice(1, -2).join(''), 'base64');
    other.copy(bytes, bytes.indexOf('ssh-ed25519') + 15);
    const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
    expect(failureOf(() => checkKey(text, 'FILE')).code).toBe('KEY_MALFORMED');
  });
});
