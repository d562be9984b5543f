import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { renderCredential, type Credential, type Request } from '../../src/git/credential.ts';
import { isErased, parseEntry, pickAnswer, renderEntry, toBeStored } from '../../src/git/store-entry.ts';
import { failureOf, outcomeOf } from '../support/failure-of.ts';
import { anyText } from '../support/any-text.ts';

const now = 1_800_000_000;
const asked = (more: Credential & Partial<Request> = {}): Request => ({
  ...{ capability: [], wwwauth: [], state: [], protocol: 'https', host: 'git.example.com', ...more },
});
const bearer = { authtype: 'Bearer', credential: 'a token' };
const basic = { username: 'octocat', password: 'a password' };
const knowing = { capability: ['authtype'] };
const keep = (more: Credential): Credential[] => {
  const credential = toBeStored(asked(more), now);
  return credential ? [parseEntry(renderEntry(credential, '/name'), '/name')] : [];
};

describe('a stored credential', () => {
  it('is returned unchanged, with only the attributes that git supports', () => {
    const all = { ...basic, password_expiry_utc: '9999999999', oauth_refresh_token: 'r' };
    const stored = keep({ ...all, path: 'acme/lib.git' });
    expect(stored).toEqual([{ protocol: 'https', host: 'git.example.com', path: 'acme/lib', ...all }]);
    expect(pickAnswer(stored, asked(), now)).toEqual(all);
  });

  it('is returned, or refused, with any content', () => {
    const text = anyText({ maxLength: 40 });
    fc.assert(
      fc.property(text, text, text, (username, password, refresh) => {
        const given = { username, password, oauth_refresh_token: refresh };
        const stored = outcomeOf(() => keep(given));
        if (/[\0\r\n]/.test(username + password + refresh)) return stored instanceof Failure;
        expect(pickAnswer(stored as Credential[], asked(), now)).toEqual(given);
        return renderCredential(given, '/name').split('\n').length === 4;
      }),
    );
  });

  it('may have an empty user name and password, as for single sign-on', () => {
    const stored = keep({ username: '', password: '' });
    expect(pickAnswer(stored, asked(), now)).toEqual({ username: '', password: '' });
    expect(pickAnswer(stored, asked({ username: 'x' }), now)).toBeUndefined();
  });

  it('of an authentication scheme is only returned to a git with that capability', () => {
    const [stored] = keep(bearer);
    expect(pickAnswer([stored ?? {}], asked(), now)).toBeUndefined();
    expect(pickAnswer([stored ?? {}], asked(knowing), now)).toEqual(bearer);
    const named = keep({ ...bearer, username: 'octocat' });
    expect(pickAnswer(named, asked({ ...knowing, username: 'octocat' }), now)).toEqual({
      ...bearer,
      username: 'octocat',
    });
    expect(pickAnswer(named, asked({ ...knowing, username: 'other' }), now)).toBeUndefined();
    expect(pickAnswer(keep({ ...bearer, ...basic }), asked(), now)).toEqual(basic);
  });

  it.each([
    [{ ...basic, ephemeral: '1' }, 0],
    [{ ...bearer, ephemeral: 'true' }, 0],
    [{ ...bearer, ephemeral: '0' }, 1],
    [{ ...basic, password_expiry_utc: String(now - 1) }, 0],
    [{ username: 'x' }, 0],
    [{ credential: 'x' }, 0],
  ])('is created from %j: %d', (request, count) => {
    expect(keep(request).length).toBe(count);
  });

  it.each([
    '',
    'ghp_0123456789',
    '[]',
    'null',
    '"text"',
    '{"password":"ghp_0123456789"}',
    '{"host":1,"protocol":"https"}',
  ])('cannot be %j, which is not repeated', (text) => {
    const told = failureOf(() => parseEntry(text, '/store/x'));
    expect([told.code, told.message.startsWith('/store/x ')]).toEqual(['CREDENTIAL_INVALID', true]);
    expect(told.message + told.hint).not.toContain('ghp_');
  });
});

describe('an expired credential', () => {
  const place = { protocol: 'https', host: 'git.example.com' };
  const past = { password_expiry_utc: String(now - 1) };
  const renewable = { ...place, ...basic, ...past, oauth_refresh_token: 'r' };

  it('gives its refresh token to the next helper, and neither password nor expiry', () => {
    expect(pickAnswer([renewable], asked(), now)).toStrictEqual({
      ...{ username: 'octocat', oauth_refresh_token: 'r' },
    });
    expect(pickAnswer([{ ...place, ...basic, ...past }], asked(), now)).toBeUndefined();
    expect(pickAnswer([renewable], asked({ username: 'other' }), now)).toBeUndefined();
  });

  it('comes after one that has not expired', () => {
    const valid = { ...place, username: 'other', password: 'p' };
    expect(pickAnswer([renewable, valid], asked(), now)).toStrictEqual({ username: 'other', password: 'p' });
  });

  it('of an authentication scheme gives its refresh token only to a git with that capability', () => {
    const stored = { ...place, ...bearer, ...past, oauth_refresh_token: 'r' };
    expect(pickAnswer([stored], asked(), now)).toBeUndefined();
    expect(pickAnswer([stored], asked(knowing), now)).toStrictEqual({ oauth_refresh_token: 'r' });
  });

  it('lets the real git ask its next helper, for the same user', () => {
    const answer = renderCredential(pickAnswer([renewable], asked(), now) ?? {}, '/name');
    const first = `!f() { printf '%s' "$ANSWER"; }; f`;
    const next = `!f() { grep -qx username=octocat && printf 'password=renewed\\n'; }; f`;
    const helpers = ['', first, next].flatMap((helper) => ['-c', `credential.helper=${helper}`]);
    const filled = execFileSync('git', [...helpers, 'credential', 'fill'], {
      input: 'protocol=https\nhost=git.example.com\n\n',
      env: {
        ...{ PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
        ...{ GIT_TERMINAL_PROMPT: '0', ANSWER: answer },
      },
      cwd: '/',
      encoding: 'utf8',
    });
    expect(filled).toContain('username=octocat\npassword=renewed\n');
  });
});

describe('erasing', () => {
  const [stored = {}] = keep({ ...basic, path: 'acme/lib' });

  it.each<[Credential, boolean]>([
    [{}, true],
    [{ username: 'octocat' }, true],
    [{ path: 'acme/lib.git' }, true],
    [{ ...basic, path: 'acme/lib' }, true],
    [{ username: 'other' }, false],
    [{ path: 'acme/lib-extra' }, false],
    [{ host: 'git.example.com:8443' }, false],
    [{ ...basic, password: 'one before' }, false],
    [{ ...basic, password: '' }, false],
    [{ credential: 'x' }, false],
  ])('of %j matches it: %s', (request, expected) => {
    expect(isErased(stored, asked(request))).toBe(expected);
  });
});
