import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { folderOf, nameOf, parsePrefix, placeOf, type Place } from '../../src/git/store-entry.ts';
import { anyText } from '../support/any-text.ts';

const prefix = '/git-credentials';
const place = (more: Partial<Place> = {}): Place => ({ protocol: 'https', host: 'github.com', ...more });

describe('the place of a credential', () => {
  it.each([
    [{ protocol: 'HTTPS', host: 'GitHub.com:443', path: '' }, place()],
    [{ protocol: 'https', host: 'github.com:' }, place()],
    [{ protocol: 'https', host: 'git.example.com:8443' }, place({ host: 'git.example.com:8443' })],
    [
      { protocol: 'https', host: 'github.com', path: 'Acme/lib.git/info/lfs', username: 'Octo' },
      place({ path: 'Acme/lib', username: 'Octo' }),
    ],
    [{ protocol: 'https', host: 'github.com', path: 'acme/lib/' }, place({ path: 'acme/lib' })],
    [{ protocol: 'https', host: 'github.com', username: '' }, place({ username: '' })],
  ])('of %j is %j', (request, expected) => {
    expect(placeOf(request)).toEqual(expected);
  });

  it.each([
    {},
    { protocol: 'http', host: 'github.com' },
    { protocol: 'https' },
    { protocol: 'https', host: '' },
  ])('does not exist for %j', (request) => {
    expect(placeOf(request)).toBeUndefined();
  });
});

describe('the name of a stored credential', () => {
  it.each([
    [place({ username: 'octocat' }), '/git-credentials/https/github.com/octocat/_'],
    [
      place({ username: 'a_b@c', path: 'acme/lib' }),
      '/git-credentials/https/github.com/a_5Fb_40c/acme_2Flib',
    ],
    [place({ host: '[::1]:8443', username: '' }), '/git-credentials/https/_5B_3A_3A1_5D_3A8443/_/_'],
    [place({ username: 'é' }), '/git-credentials/https/github.com/_C3_A9/_'],
    [place(), '/git-credentials/https/github.com/__/_'],
  ])('for %j is %s', (stored, name) => {
    expect(nameOf(prefix, stored)).toBe(name);
  });

  const text = fc.oneof(
    anyText({ maxLength: 400 }),
    fc.stringMatching(/^[a_.2F/-]{0,6}$/),
    fc.constantFrom('é', 'e\u0301', 'É'),
  );
  const anyPlace = fc.record(
    { protocol: fc.constant('https' as const), host: text, path: text.filter(Boolean), username: text },
    { requiredKeys: ['protocol', 'host'] },
  );
  /** A lone surrogate has no bytes, and git cannot send one. */
  const bytesOf = ({ host, path, username }: Place): string =>
    JSON.stringify([host, path, username].map((part) => part && Buffer.from(part).toString('hex')));

  it('is unique for any parts', () => {
    fc.assert(
      fc.property(anyPlace, anyPlace, (one, other) => {
        const same = bytesOf(one) === bytesOf(other);
        return (nameOf(prefix, one) === nameOf(prefix, other)) === same;
      }),
    );
  });

  it('is accepted by Parameter Store, with the longest prefix in the longest Region', () => {
    const longest = `${'/level'.repeat(10)}/${'x'.repeat(239)}`;
    expect(parsePrefix(longest, 'storePrefix')).toBe(longest);
    const arn = 'arn:aws-us-gov:ssm:ap-southeast-10:111122223333:parameter';
    fc.assert(
      fc.property(anyPlace, (one) => {
        const name = nameOf(longest, one);
        expect(name).toMatch(/^(\/[\w.-]+){15}$/);
        expect(arn.length + name.length).toBeLessThanOrEqual(1011);
      }),
    );
  });

  it('is in the folders of all matching requests', () => {
    fc.assert(
      fc.property(anyPlace, ({ path, ...known }) => {
        const { username, ...host } = known;
        const name = nameOf(prefix, { ...known, ...(path !== undefined && { path }) });
        expect(name.startsWith(`${folderOf(prefix, host)}/`)).toBe(true);
        expect(name.startsWith(`${folderOf(prefix, { ...host, username })}/`)).toBe(true);
      }),
    );
  });
});

describe('a store prefix', () => {
  it('may end with a slash', () => {
    expect(parsePrefix('/team/git/', 'ssm.storePrefix')).toBe('/team/git');
  });

  it.each([
    '',
    '/',
    'git',
    '//git',
    '/git credentials',
    '/aws/git',
    '/SSM',
    `/${'x'.repeat(300)}`,
    '/x'.repeat(12),
  ])('cannot be %j', (text) => {
    expect(() => parsePrefix(text, 'ssm.storePrefix')).toThrow(Failure);
    expect(() => parsePrefix(text, 'ssm.storePrefix')).toThrow(/^ssm\.storePrefix cannot be/);
  });
});
