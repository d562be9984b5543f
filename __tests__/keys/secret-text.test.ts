/** What looks like a secret, and what is left of a text without its secrets. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseCredentialReference } from '../../helper/command-line/settings.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { looksSecret, looksToken, withoutSecrets } from '../../src/keys/secret-text.ts';

/** A line of a key: lower case, upper case, digits. */
const word = (length: number): string => `aB1${randomBytes(length).toString('hex')}`.slice(0, length);
const begin = (kind: string): string => `-----BEGIN ${kind}-----`;
const end = (kind: string): string => `-----END ${kind}-----`;
const jwt = (...parts: readonly number[]): string => `eyJ${parts.map(word).join('.')}`;

describe('a text without its secrets', () => {
  it.each<[string, string, string]>([
    ['a key', `a ${begin('X KEY')}\nq\n\nq\n${end('X KEY')} b`, 'a … b'],
    ['two keys', `${begin('A')}q${end('A')} b ${begin('C1')}\n${end('C1')}`, '… b …'],
    ['a key without its end', `a ${begin('RSA KEY')}\nq q\nq`, 'a …'],
    ['a key whose end is cut off', `a ${begin('KEY')}\nq\n-----END KEY`, 'a …'],
    ['JSON', 'a {"x": 1, "password" : "q"} b', 'a … b'],
    ['JSON in lines', 'a {\n "n": 1,\n "my_private_key_1"\n:\n"q"\n} b', 'a … b'],
    ['JSON with a key in one word', '{"privatekey":"q"}', '…'],
    ['JSON with a token', '{"accessToken":"q"}', '…'],
    ['JSON with a secret behind braces', '{"secret":{"a":{}}} b', '… b'],
    ['JSON with a secret behind a nested object', 'a {"x":{"y":{"z":1}},"password":"q"} b', 'a … b'],
    ['JSON with a secret behind a nested list', 'a {"x":[{}, {"y":1}],"token":"q"} b', 'a … b'],
    ['JSON with a secret in a nested object', 'a {"x":{"y":1},"z":{"password":"q"}} b', 'a … b'],
    ['JSON with a secret behind a brace in a text', 'a {"x":"}","password":"q"} b', 'a … b'],
    ['JSON in braces of a message', 'a {b} c {"password":"q"} d', 'a {b} c … d'],
    ['the end of JSON', 'a "password":"q"} b', 'a … b'],
    ['JSON behind a name with a colon', '"/ci/token": {"password":"q"} b', '"/ci/token": … b'],
    ['JSON that is cut off', 'a {"x":{"y":1},"password":"q', 'a …'],
    ['JSON that is empty behind its name', '{"a_credential"  :}', '…'],
    ['base64 of a key', 'a LS0tLS1CRUdJTiBq\nqq+/q= \n', 'a …'],
    ['base64 of two keys', 'LS0tLS1CRUdJTi- b3BlbnNzaC1rZXktdjEA! x', '…- …! x'],
    ['two tokens', `a ghp_${'x'.repeat(12)} b npm_${'x'.repeat(12)}`, 'a … b …'],
    ['a web token', `a ${jwt(8, 8)} b`, 'a … b'],
    ['a signed web token', `a ${jwt(8, 8, 20)} b`, 'a … b'],
    ['a web token with an empty signature', `a ${jwt(8, 8)}. b`, 'a … b'],
    ['two lines of base64', `a ${word(40)} b ${word(64)}== c`, 'a … b … c'],
  ])('has … for %s', (_, text, left) => {
    expect(withoutSecrets(text)).toBe(left);
  });

  it.each([
    'a path/to/a/file-with.a-name',
    '-----BEGIN KEY',
    begin('a key'),
    '{"a": 1}',
    '{password}',
    '{"a": "password"}',
    '{"a": 1} "/ci/token": not there',
    'a "/ci/token": not there {b}',
    'eyJabc.abcdefgh',
    `eyJ${word(8)}.short`,
    `x${jwt(8, 8)}`,
    'a'.repeat(60),
    'A1'.repeat(30),
    'a1'.repeat(30),
    'aA'.repeat(30),
    word(39),
    `x.${word(60)}`,
    `${word(60)}.x`,
    `SHA256:${word(43)}`,
    'ghp_short',
    `xghp_${'x'.repeat(12)}`,
    `AKIA${'a'.repeat(16)}`,
  ])('keeps what is none: %s', (text) => {
    expect(withoutSecrets(text)).toBe(text);
    expect(looksToken(text)).toBe(false);
  });
});

describe('a text that looks like a secret', () => {
  it.each([
    [' \n {', true],
    ['{', true],
    ['a {', false],
    ['/ci/key', false],
    [word(40), true],
  ])('%j: %j', (text, looks) => {
    expect(looksSecret(text)).toBe(looks);
  });
});

describe('one token', () => {
  it.each([
    [`ghp_${'x'.repeat(12)}`, true],
    [` glpat-${'x'.repeat(12)}\n`, true],
    [`AKIA${'Q'.repeat(16)}`, true],
    [`AKIA${'Q'.repeat(17)}`, false],
    [`ghp_${'x'.repeat(11)}`, false],
    [`a ghp_${'x'.repeat(12)}`, false],
    [`ghp_${'x'.repeat(12)} a`, false],
    [jwt(8, 8), true],
    [jwt(8, 8, 3), true],
    [`${jwt(8, 8)}.`, true],
    [jwt(8, 7), false],
    [jwt(7, 8), false],
    [`x ${jwt(8, 8)}`, false],
    [`${jwt(8, 8)} x`, false],
  ])('is the whole text (%#): %j', (text, isToken) => {
    expect(looksToken(text)).toBe(isToken);
  });
});

describe('a token instead of a reference', () => {
  it.each([
    ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    ...['glpat-', 'gldt-', 'glrt-', 'glrtr-', 'glcbt-', 'glptt-', 'glft-', 'glagent-'],
    ...['gloas-', 'glimt-', 'glwt-', 'glsoat-', 'glffct-'],
    ...['ATBB', 'ATATT3x', 'ATCTT3x', 'BBDC-'],
  ])('is seen by its first letters, for a key and for a credential: %s', (prefix) => {
    const token = `${prefix}${word(20)}`;
    expect(withoutSecrets(`a ${token} b`)).toBe('a … b');
    expect(looksToken(token)).toBe(true);
    expect(() => parseReference(token)).toThrow(/^this looks like a secret/);
    expect(() => parseCredentialReference(token, 'x')).toThrow(/^x has a token itself/);
    expect(() => parseCredentialReference(prefix, 'x')).toThrow(/^x has a token itself/);
  });

  it.each(['gha_token_for_the_library', 'npm_token', 'glass-door', 'ATTACHED', 'ATBASH'])(
    'is not taken for one: %s',
    (name) => {
      expect(parseCredentialReference(name, 'x')).toMatchObject({ name });
    },
  );
});
