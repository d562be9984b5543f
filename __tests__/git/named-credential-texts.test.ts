/** What people read about a stored credential that cannot be used, and the forms that can. */
import { describe, expect, it } from '@jest/globals';
import type { Credential } from '../../src/git/credential.ts';
import { readNamedCredential } from '../../src/git/named-credential.ts';
import { failureOf, told } from '../support/failure-of.ts';

const now = 1_700_000_000;
const read = (text: string, username?: string): Credential =>
  readNamedCredential({ text, resource: '/ci/token', username }, now);
const written = 'store only the token, or {"username": "NAME", "password": "TOKEN"}';

describe('the message and the hint', () => {
  it.each([
    ['', '/ci/token is empty', 'store the token there'],
    [
      'a\nb',
      '/ci/token contains a line break or a NUL',
      `store it again as one line, without a line break at the end: printf '%s' "$TOKEN" | aws ssm put-parameter --overwrite --type SecureString --name NAME --value file:///dev/stdin`,
    ],
    ['[', '/ci/token begins like JSON, but is not a JSON object', written],
    [' \t {', '/ci/token begins like JSON, but is not a JSON object', written],
    ['{"password": 1}', '/ci/token: its "password" is not a string', written],
    ['{"authtype": 1}', '/ci/token: its "authtype" is not a string', written],
    ['{"authtype": "Bearer", "credential": 1}', '/ci/token: its "credential" is not a string', written],
    ['{}', '/ci/token is JSON without a "password"', written],
    [
      '{"token": "x", "a\\"b": "y"}',
      '/ci/token is JSON without a "password"',
      `${written}; it has "token", "a\\"b"`,
    ],
    ['{"authtype": "Bearer"}', '/ci/token is JSON without a "password"', `${written}; it has "authtype"`],
    ['{"credential": "x"}', '/ci/token is JSON without a "password"', `${written}; it has "credential"`],
    ...['"1e9"', '"17000000000000000"', '"x1"', '"1x"', '""', 'true', '[1800000000]', '1.5'].map((expiry) => [
      `{"password": "p", "password_expiry_utc": ${expiry}}`,
      '/ci/token: its "password_expiry_utc" is not a time',
      'write the seconds since 1970, as date +%s does',
    ]),
    [
      '{"password": "p", "password_expiry_utc": 1600000000}',
      '/ci/token expired at 2020-09-13T12:26:40.000Z',
      'store a new one there, with its own password_expiry_utc',
    ],
  ])('for %j name the trouble and the way out of it', (text, message = '', hint = '') => {
    expect(told(failureOf(() => read(text)))).toBe(`${message}\n${hint}`);
  });

  it('have the first ten names of the members, each with 60 characters at most', () => {
    const names = Array.from({ length: 11 }, (_, index) => `${String(index)}${'n'.repeat(80)}`);
    const { hint } = failureOf(() =>
      read(JSON.stringify(Object.fromEntries(names.map((name) => [name, ''])))),
    );
    const shown = names.slice(0, 10).map((name) => `"${name.slice(0, 60)}"`);
    expect(hint).toBe(`${written}; it has ${shown.join(', ')}`);
  });
});

describe('a stored credential', () => {
  it.each(['a[b', 'a {b', '.[', 'x'])('may be the token %j', (text) => {
    expect(read(text)).toStrictEqual({ username: 'x-access-token', password: text });
  });

  it('may be for an authentication scheme, and then needs no user name', () => {
    const stored = { authtype: 'Bearer', credential: 'token' };
    expect(read(JSON.stringify({ ...stored, username: 'u', password: 'p' }))).toStrictEqual(stored);
    const more = { password_expiry_utc: String(now + 1), oauth_refresh_token: 'r' };
    expect(read(JSON.stringify({ ...stored, ...more }))).toStrictEqual({ ...more, ...stored });
  });

  it.each([
    { authtype: 'Bearer', credential: '' },
    { authtype: '', credential: 'token' },
    { authtype: 'Bearer', credential: null },
  ])('with half of a scheme, %j, has a password', (half) => {
    const text = JSON.stringify({ ...half, username: 'u', password: 'p' });
    expect(read(text)).toStrictEqual({ username: 'u', password: 'p' });
  });
});
