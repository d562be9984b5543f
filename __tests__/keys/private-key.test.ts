/** Keys of every type in every stored form, compared with the real ssh-keygen. */
import { describe, expect, it as everyIt } from '@jest/globals';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';
import { linesToMask, parsePrivateKey } from '../../src/keys/private-key.ts';
import { authorizedKeysLine, fingerprint } from '../../src/keys/public-key.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { failureOf } from '../support/failure-of.ts';
import { fingerprintOfLine, publicHalf, signAndCheck, typeAndBlob } from '../support/keygen.ts';
import { it, rowsOf } from '../support/parts.ts';
import { columnsInTurn } from '../support/sample.ts';
import { bodyOf, everyKind, storedForms } from '../support/stored-forms.ts';

const keys = await everyKind();
const forms = Object.entries(storedForms);

/** Each form with another key, in turn; every form with every key in `npm run test:rest`. */
const stored = rowsOf(columnsInTurn(forms, keys)).map(
  ([[form, store], key]) => [key.name, form, store, key] as const,
);

describe('a key', () => {
  everyIt.each(stored)(
    '(%s) stored %s is the same key for ssh-keygen',
    (...[, , store, { privateKey, publicKey }]) => {
      const expected = { publicKey: typeAndBlob(publicKey), fingerprint: fingerprintOfLine(publicKey) };
      const key = parsePrivateKey(store(privateKey), '/ci/key');
      expect({
        publicKey: publicHalf(writeOpensshKey(key)),
        fingerprint: fingerprint(key.publicKey),
      }).toEqual(expected);
    },
  );

  everyIt.each(stored)('(%s) stored %s is masked in that form', (...[, , store, { privateKey }]) => {
    const value = store(privateKey);
    const secrets = linesToMask(value).sort((a, b) => b.length - a.length);
    const shown = secrets.reduce((log, secret) => log.replaceAll(secret, '***'), value);
    // Only the short last line of the body may be left.
    const left = shown.replaceAll(/-----(BEGIN|END) [A-Z ]+-----/g, '').match(/[A-Za-z0-9+/]{16,}/g) ?? [];
    expect(left.filter((run) => bodyOf(privateKey).includes(run))).toEqual([]);
  });
});

describe.each(keys)('a key ($name)', ({ privateKey, publicKey }) => {
  it('is unchanged after writing and reading OpenSSH’s format', () => {
    const text = writeOpensshKey(parsePrivateKey(privateKey, '/ci/key'));
    expect(text).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n[^]*\n-----END OPENSSH PRIVATE KEY-----\n$/);
    expect(writeOpensshKey(parsePrivateKey(text, '/another/name'))).toBe(text);
  });

  it('creates signatures that its public key verifies', () => {
    expect(signAndCheck(writeOpensshKey(parsePrivateKey(privateKey, '/ci/key')))).toContain(
      fingerprintOfLine(publicKey),
    );
  });
});

describe('the comment of a key', () => {
  it('is kept if there is one', async () => {
    const { privateKey, publicKey } = await makeSshKey({ comment: 'release bot, 2026' });
    expect(authorizedKeysLine(parsePrivateKey(privateKey, '/ci/key').publicKey)).toBe(publicKey);
  });

  it.each([{}, { type: 'rsa', format: 'PEM' }] as const)(
    'is the resource if there is none: %j',
    async (options) => {
      const { privateKey, publicKey } = await makeSshKey(options);
      const line = authorizedKeysLine(parsePrivateKey(privateKey, '/ci/key').publicKey);
      expect(line).toBe(`${typeAndBlob(publicKey)} /ci/key`);
    },
  );

  it('cannot split the line of the public key', async () => {
    const { privateKey } = await makeSshKey({ comment: 'first\nssh-ed25519 AAAA second' });
    expect(authorizedKeysLine(parsePrivateKey(privateKey, '/ci/key').publicKey)).not.toContain('\n');
  });
});

describe('the line of a public key', () => {
  it('shows the control characters of a comment, whoever chose it', async () => {
    const { privateKey } = await makeSshKey({ comment: 'ci\u202Eto\u2028::error::x ##[error]' });
    const line = authorizedKeysLine(parsePrivateKey(privateKey, '/ci/key').publicKey);
    expect(line.split(' ').slice(2).join(' ')).toBe('ci\\u202eto\\u2028::error::x ##\\x5berror]');
  });
});

describe('several keys in one value', () => {
  const [first, second] = keys;
  const [one, other] = [first?.privateKey ?? '', second?.privateKey ?? ''];

  it('is KEY_MALFORMED if both are private', () => {
    const failure = failureOf(() => parsePrivateKey(`${other}\n${one}`, '/ci/key'));
    expect([failure.code, failure.message]).toEqual([
      'KEY_MALFORMED',
      '/ci/key holds more than one private key',
    ]);
  });

  it('is found after its public key', () => {
    const { publicKey } = parsePrivateKey(`${String(first?.publicKey)}\n${one}`, '/ci/key');
    expect(fingerprint(publicKey)).toBe(first?.fingerprint);
  });

  it.each([undefined, 2])('is found in a JSON document with any layout (indentation %s)', (indentation) => {
    const stored = JSON.stringify({ user: 'git', private_key: one }, undefined, indentation);
    expect(fingerprint(parsePrivateKey(stored, '/ci/key').publicKey)).toBe(first?.fingerprint);
  });
});

describe('the lines to mask', () => {
  it('do not contain BEGIN, END and short lines', () => {
    const lines = ['-----BEGIN X-----', 'AAAABBBB', '  CCCCDDDD ', 'short', 'AAAABBBB', '-----END X-----'];
    expect(linesToMask(lines.join('\r\n'))).toEqual(['AAAABBBB', 'CCCCDDDD']);
  });

  it('are also split at literal line ends', () => {
    expect(linesToMask('AAAABBBB\\nCCCCDDDD\\r\\nEEEEFFFF')).toEqual(['AAAABBBB', 'CCCCDDDD', 'EEEEFFFF']);
  });

  it.each(keys)('cover all lines of the rewritten key ($name)', ({ privateKey }) => {
    const text = writeOpensshKey(parsePrivateKey(privateKey, '/ci/key'));
    const body = text.trim().split('\n').slice(1, -1);
    const lines = linesToMask(text);
    expect(lines).toEqual(expect.arrayContaining(body.filter((line) => line.length >= 8)));
    expect(lines.filter((line) => line.length < 8 || line.startsWith('-----'))).toEqual([]);
  });
});
