/** Limits and edges of stored credentials, and what people read about them. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Credential, Request } from '../../src/git/credential.ts';
import {
  isErased,
  nameOf,
  parseEntry,
  parsePrefix,
  pickAnswer,
  placeOf,
  renderEntry,
  toBeStored,
} from '../../src/git/store-entry.ts';
import { failureOf, told } from '../support/failure-of.ts';

const now = 1_800_000_000;
const place = { protocol: 'https', host: 'git.example.com' };
const asked = (more: Credential & Partial<Request> = {}): Request => ({
  ...{ capability: [], wwwauth: [], state: [], ...place, ...more },
});

describe('the place of a credential', () => {
  it.each([
    [{ path: 'acme/lib.git/info/lfs/objects/batch' }, { path: 'acme/lib' }],
    [{ path: 'acme/info/lfs-tools' }, { path: 'acme/info/lfs-tools' }],
    [{ path: '//acme/lib.git//' }, { path: 'acme/lib' }],
    [{ path: 'acme/lib.github' }, { path: 'acme/lib.github' }],
    [{ host: 'GITHUB.Example.COM:4430' }, { host: 'github.example.com:4430' }],
    [{ host: 'x:443:1' }, { host: 'x:443:1' }],
    [{}, {}],
  ])('of %j is %j, and has nothing else', (request, expected) => {
    expect(placeOf({ ...place, ...request })).toStrictEqual({ ...place, ...expected });
  });
});

describe('a part of a name', () => {
  const nameFor = (username: string): string =>
    nameOf('/git', { protocol: 'https', host: 'h', username }).replace(/^\/git\/https\/h\/|\/_$/g, '');

  it.each([
    ['\n', '_0A'],
    ['\0', '_00'],
    ['a'.repeat(200), 'a'.repeat(200)],
    ['@'.repeat(66), '_40'.repeat(66)],
  ])('%j is %s', (text, expected) => {
    expect(nameFor(text)).toBe(expected);
  });

  it('of more than 200 characters is cut, and ends with its digest', () => {
    const text = 'ab'.repeat(101);
    const digest = createHash('sha256').update(text).digest('hex');
    expect(nameFor(text)).toBe(`${'ab'.repeat(50)}_.${digest}`);
  });
});

describe('a store prefix', () => {
  it.each(['/git/aws', '/git/ssm/x', '/x'.repeat(11)])('may be %s', (prefix) => {
    expect(parsePrefix(prefix, 'ssm.storePrefix')).toBe(prefix);
  });

  it('that cannot be is told with its first 100 characters, and what it may be', () => {
    const failure = failureOf(() => parsePrefix(`!${'x'.repeat(200)}`, 'ssm.storePrefix'));
    expect(failure.code).toBe('INPUT_INVALID');
    expect(told(failure)).toBe(
      `ssm.storePrefix cannot be "!${'x'.repeat(99)}"\nwrite a prefix of parameter names, for example /git-credentials: up to 11 levels of letters, digits and . - _; the first must not begin with aws or ssm`,
    );
  });
});

describe('a credential', () => {
  it.each([{ password: 'p' }, { username: 'u' }, { authtype: 'Bearer' }, { credential: 'c' }])(
    'is not stored if half of it is missing: %j',
    (half) => {
      expect(toBeStored(asked(half), now)).toBeUndefined();
    },
  );

  it('is stored with the attributes that it has, and no others', () => {
    const basic = { username: 'u', password: 'p' };
    expect(toBeStored(asked({ ...basic, ephemeral: '0' }), now)).toStrictEqual({ ...place, ...basic });
  });

  it('may have 8 KB, the limit of a parameter, and no more', () => {
    const withPassword = (length: number): Credential => ({ ...place, password: 'x'.repeat(length) });
    const around = renderEntry(withPassword(0), '/name').length;
    expect(renderEntry(withPassword(8192 - around), '/name')).toHaveLength(8192);
    const failure = failureOf(() => renderEntry(withPassword(8193 - around), '/name'));
    expect(failure.code).toBe('CREDENTIAL_INVALID');
    expect(told(failure)).toBe(
      '/name would be larger than 8 KB, the limit of a parameter\nuse a shorter token; an OAuth refresh token counts as well',
    );
  });
});

describe('a stored value', () => {
  it.each(['{"host": "h"}', '{"protocol": "https"}', 'null', '12', '{'])(
    '%s is no credential, and the hint says how to delete it',
    (text) => {
      expect(told(failureOf(() => parseEntry(text, '/name')))).toBe(
        '/name is not a credential that git-credential-ssm has stored\nstore other values elsewhere, or delete it: aws ssm delete-parameter --name /name',
      );
    },
  );
});

describe('an answer', () => {
  const basic = { ...place, username: 'u', password: 'p' };

  it('is found for a request in another form of the same place', () => {
    const stored = { ...basic, path: 'acme/lib' };
    const request = asked({ host: 'GIT.example.com:443', path: 'acme/lib.git' });
    expect(pickAnswer([stored], request, now)).toStrictEqual({ username: 'u', password: 'p' });
  });

  it('for a request without a place is only a credential with the same attributes', () => {
    const request = asked({ protocol: 'http' });
    expect(pickAnswer([basic], request, now)).toBeUndefined();
    expect(pickAnswer([{ ...basic, protocol: 'http' }], request, now)).toStrictEqual({
      ...{ username: 'u', password: 'p' },
    });
  });

  it.each([
    [{ password: 'p' }, { password: 'p' }],
    [{ password: 'p', authtype: 'Bearer' }, { password: 'p' }],
    [{ password: 'p', credential: 'c' }, { password: 'p' }],
    [
      { authtype: 'Bearer', credential: 'c' },
      { authtype: 'Bearer', credential: 'c' },
    ],
  ])('from %j is %j', (stored, answer) => {
    const request = asked({ capability: ['authtype'] });
    expect(pickAnswer([{ ...place, ...stored }], request, now)).toStrictEqual(answer);
  });
});

it.each([
  ['c', true],
  ['another', false],
])('erasing with the credential %s of a scheme matches it: %j', (credential, expected) => {
  const stored = { ...place, authtype: 'Bearer', credential: 'c' };
  expect(isErased(stored, asked({ credential }))).toBe(expected);
  expect(isErased(stored, asked())).toBe(true);
});

it('erasing without a place in the request means equal attributes', () => {
  const stored = { protocol: 'http', host: 'h', username: 'u', password: 'p' };
  expect(isErased(stored, asked({ protocol: 'http', host: 'h' }))).toBe(true);
  expect(isErased(stored, asked({ protocol: 'http', host: 'other' }))).toBe(false);
});
