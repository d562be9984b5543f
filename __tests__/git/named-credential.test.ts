/** Stored values → the credential for git, or an error. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { renderCredential, type Credential } from '../../src/git/credential.ts';
import { readNamedCredential } from '../../src/git/named-credential.ts';
import { failureOf, leakOf, outcomeOf } from '../support/failure-of.ts';

const now = 1_700_000_000;
const read = (text: string, username?: string): Credential =>
  readNamedCredential({ text, resource: '/ci/token', username }, now);

describe('a stored credential', () => {
  it('may be only a token', () => {
    expect(read('ghp_abc')).toEqual({ username: 'x-access-token', password: 'ghp_abc' });
    expect(read('ghp_abc', 'bot')).toEqual({ username: 'bot', password: 'ghp_abc' });
  });

  it('may be JSON with all attributes that git knows', () => {
    const all = { username: 'u', password: 'p', password_expiry_utc: now + 1, oauth_refresh_token: 'r' };
    const read1 = read(`\uFEFF${JSON.stringify({ ...all, host: 'evil', more: 1 }, null, 2)}\n`);
    expect(read1).toEqual({ ...all, password_expiry_utc: String(now + 1) });
    expect(read('{"password": "p", "username": null}')).toEqual({
      username: 'x-access-token',
      password: 'p',
    });
    expect(read('{"password": "p", "username": "u"}', 'bot').username).toBe('bot');
  });

  it.each([0, now - 1, now, `${now}`])('that expired at %j is refused', (expiry) => {
    const text = JSON.stringify({ password: 'hunter22', password_expiry_utc: expiry });
    const failure = failureOf(() => read(text));
    expect([failure.code, failure.message]).toEqual([
      'CREDENTIAL_INVALID',
      expect.stringMatching(/^\/ci\/token expired at \d{4}-\d\d-\d\dT/),
    ]);
  });

  it.each([
    ['', /is empty/],
    ['ghp_0123456789\n', /line break/],
    ['ghp_0123456789\r', /line break/],
    ['ghp_0123456789\0', /NUL/],
    ['ghp_0123456789\nhost=evil', /line break/],
    ['{"password": "hunter2222"', /begins like JSON/],
    ['["hunter2222"]', /begins like JSON/],
    ['{"token": "hunter2222"}', /without a "password"/],
    ['{"password": ""}', /without a "password"/],
    ['{"password": 12345678}', /its "password" is not a string/],
    ['{"password": "hunter2222", "username": ["u"]}', /its "username"/],
    ['{"password": "hunter2222", "password_expiry_utc": "tomorrow"}', /is not a time/],
    ['{"password": "hunter2222", "password_expiry_utc": -1}', /is not a time/],
  ])('cannot be %j', (text, message) => {
    const failure = failureOf(() => read(text));
    expect(failure.code).toBe('CREDENTIAL_INVALID');
    expect(failure.message).toMatch(message);
    expect(failure.message + failure.hint).not.toMatch(/hunter|0123|12345/);
  });

  it('with any text gives one line for each attribute, or a failure that does not repeat it', () => {
    const json = fc
      .record({ password: fc.string(), username: fc.string() })
      .map((one) => JSON.stringify(one));
    const secret = fc.string({ minLength: 12, unit: fc.constantFrom('é', '\n', '\r', 'q', '7') });
    fc.assert(
      fc.property(fc.oneof(fc.string(), json, secret), (text) => {
        const lines = outcomeOf(() => renderCredential(read(text), '/ci/token'));
        if (lines instanceof Failure)
          expect([lines.code, text.startsWith('{') ? undefined : leakOf(lines, text)]).toEqual([
            'CREDENTIAL_INVALID',
            undefined,
          ]);
        else expect(lines).toMatch(/^username=[^\r\n\0]*\npassword=[^\r\n\0]+\n$/);
      }),
    );
  });
});
