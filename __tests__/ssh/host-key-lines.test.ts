/** Which lines of known_hosts are read, and how. host-keys.test.ts asks ssh-keygen. */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseRepositoryPattern } from '../../src/keys/routes.ts';
import { string } from '../../src/keys/wire.ts';
import { checkableKeysFor, hostKeysFor, matchesPattern, revokedKeysFor } from '../../src/ssh/host-keys.ts';
import { hostsOf } from '../../src/ssh/repository-hosts.ts';

function newKey(): Buffer {
  const point = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '';
  return Buffer.concat([string('ssh-ed25519'), string(Buffer.from(point, 'base64url'))]);
}
const [one, two] = [newKey(), newKey()];
const inSecurityKey = Buffer.concat([
  ...[string('sk-ssh-ed25519@openssh.com'), string(Buffer.alloc(32, 1)), string('ssh:')],
]);
const lineOf = (blob: Buffer): string =>
  `${blob.subarray(4, 4 + blob.readUInt32BE()).toString()} ${blob.toString('base64')}`;

describe('a line', () => {
  it.each([
    [`git.test ${lineOf(one)}`, true],
    [`\t git.test \t ${lineOf(one).replace(' ', ' \t')} comment`, true],
    [`@cert-authority \t git.test ${lineOf(one)}`, true],
    [`@other git.test ${lineOf(one)}`, false],
    [`# git.test ${lineOf(one)}`, false],
    [`#git.test ${lineOf(one)}`, false],
    ['git.test ssh-ed25519', false],
    ['git.test', false],
    ['', false],
  ])('%j has a key of the host: %j', (line, expected) => {
    expect(hostKeysFor('git.test', line).map(({ blob }) => blob)).toEqual(expected ? [one] : []);
  });

  it.each([
    ['|1|', true],
    ['|2|', false],
    ['|', false],
    ['||', false],
  ])('with a hash that begins with %s is read: %j', (start, expected) => {
    const salt = Buffer.from('salt');
    const hash = createHmac('sha1', salt).update('git.test').digest('base64');
    const line = `${start}${salt.toString('base64')}|${hash} ${lineOf(one)}`;
    expect(hostKeysFor('GIT.test', line)).toHaveLength(expected ? 1 : 0);
  });

  it('with a hash and no salt is read', () => {
    const hash = createHmac('sha1', '').update('git.test').digest('base64');
    expect(hostKeysFor('git.test', `|1||${hash} ${lineOf(one)}`)).toHaveLength(1);
    expect(hostKeysFor('git.test', `|1 ${lineOf(one)}`)).toEqual([]);
  });

  it('that revokes a key is not a line of a key', () => {
    const text = `@revoked git.test ${lineOf(one)}\ngit.test ${lineOf(two)}`;
    expect(hostKeysFor('git.test', text)).toEqual([{ blob: two, isAuthority: false }]);
    expect(checkableKeysFor('git.test', text)).toEqual([{ blob: two, isAuthority: false }]);
    expect(revokedKeysFor('git.test', text)).toEqual([one]);
    expect(revokedKeysFor('other.test', text)).toEqual([]);
  });

  it('with an authority in a security key is only for our own agent', () => {
    const authority = `@cert-authority git.test ${lineOf(inSecurityKey)}`;
    expect(hostKeysFor('git.test', authority)).toEqual([]);
    expect(checkableKeysFor('git.test', authority)).toEqual([{ blob: inSecurityKey, isAuthority: true }]);
  });

  it('with a host’s own key in a security key, or with a broken authority, is for no agent', () => {
    const broken = Buffer.concat([string('ssh-ed25519'), string('short')]);
    const text = `git.test ${lineOf(inSecurityKey)}\n@cert-authority git.test ${lineOf(broken)}`;
    expect(checkableKeysFor('git.test', text)).toEqual([]);
  });
});

it.each([
  ['', '', true],
  ['', '*', true],
  ['', '?', false],
  ['a', '', false],
  ['a', '**', true],
  ['a', '*a*', true],
  ['a', 'a?', false],
  ['ab', 'a', false],
  ['aab', '*ab', true],
  ['abcabd', '*ab?', true],
  ['xaxb', '*a*b', true],
])('the text %j matches %j: %j', (text, pattern, expected) => {
  expect(matchesPattern(text, pattern)).toBe(expected);
});

it('hosts of a wildcard are read from lines with more space, and no word of others is one', () => {
  const lines = [
    `  @revoked \t a.example.com  ${lineOf(one)}`,
    `\tb.example.com\t${lineOf(one)}`,
    `c|d.example.com,e!f.example.com,g#h.example.com ${lineOf(one)}`,
    'y.example.com',
    '@revoked',
    '',
  ].join('\n');
  const hosts = hostsOf([parseRepositoryPattern('*.example.com')], lines);
  expect(hosts.map(({ host }) => host)).toEqual([
    ...['a.example.com', 'b.example.com', 'c|d.example.com', 'e!f.example.com', 'g#h.example.com'],
    'y.example.com',
  ]);
});
