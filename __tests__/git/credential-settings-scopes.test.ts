/** For which repositories a setting `credential.*` counts, compared with git itself. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { helperOf, helpersFor, isFor, isOurHelper } from '../../src/git/credential-settings.ts';

describe('a setting for one URL', () => {
  it.each([
    ['https://github.com', 'github.com/a', true],
    ['https://github.com/', 'github.com/a', true],
    ['https://github.com', 'GitHub.com:443/a', true],
    ['https://github.com:443', 'github.com/a', true],
    ['https://github.com', 'github.com:4430/a', false],
    ['https://github.com:4430', 'github.com:4430/a', true],
    ['https://github.com', 'gitlab.com/a', false],
    ['http://github.com', 'github.com/a', false],
    ['https://*.example.com', 'git.example.com/a', true],
    ['https://*.example.com', 'example.com/a', false],
    ['https://*.example.com', 'a.b.example.com/a', false],
    ['https://*.example.com', 'git.other.com/a', false],
    ['https://git.example.com', 'www.git.example.com/a', false],
    ['https://**example.com', 'www.example.com/a', false],
    ['https://github.com/acme', 'github.com/acme/lib', true],
    ['https://github.com/acme/', 'github.com/acme', true],
    ['https://github.com/acme', 'github.com/acm', false],
  ])('%s counts for %s: %j', (scope, place, expected) => {
    const [host = '', ...names] = place.split('/');
    const path = `/${names.join('/')}`;
    const name = `credential.${scope}.usehttppath`;
    expect(isFor({ host, path }, name, 'usehttppath')).toBe(expected);
    const argv = ['-c', `${name}=true`, 'config', '--get-urlmatch', 'credential.usehttppath'];
    expect(byGit([...argv, `https://${place}`])).toBe(expected ? 'true\n' : '');
  });

  it.each([
    ['credential.helper', true],
    ['credential.https://github.com.helper', true],
    ['credential.https://github.com.helpers', false],
    ['credential.https://github.com.username', false],
    ['credentials.https://github.com.helper', false],
    ['xcredential.https://github.com.helper', false],
    ['credentialx', false],
    ['credential.https://github.com/helper', false],
    ['credentialxhttps://github.com.helper', false],
    ['credential.no url.helper', false],
    ['helper', false],
  ])('has a name: %s has one that is right: %j', (name, expected) => {
    expect(isFor({ host: 'github.com' }, name, 'helper')).toBe(expected);
  });

  it('with a path does not count for the whole host', () => {
    const name = 'credential.https://github.com/acme.helper';
    expect(isFor({ host: 'github.com' }, name, 'helper')).toBe(false);
    expect(isFor({ host: 'github.com' }, 'credential.https://github.com.helper', 'helper')).toBe(true);
  });
});

function byGit(argv: readonly string[]): string {
  try {
    const env = { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
    return execFileSync('git', argv, { encoding: 'utf8', env, cwd: '/' });
  } catch {
    return '';
  }
}

it('a setting without a value empties the list of helpers, as an empty one does', () => {
  const entries = [
    { name: 'credential.helper', value: 'store' },
    { name: 'credential.helper', value: undefined },
    { name: 'credential.helper', value: 'ssm' },
  ];
  expect(helpersFor({ host: 'github.com' }, entries)).toEqual(['ssm']);
});

it.each([
  ['git-credential-ssm', true],
  ['!git-credential-ssm --profile x', true],
  ['/opt/git-credential-ssm', true],
  ["'/opt/git-credential-ssm' --x", true],
  ['"git-credential-ssm"', true],
  ['env X=1 git-credential-ssm', true],
  ['my-git-credential-ssm', false],
  ['!my-git-credential-ssm', false],
  ['git-credential-ssm-old', false],
  ['/opt/git-credential-ssm.old', false],
  ['ssm\t--x', true],
  ['other-ssm', false],
  ['other ssm', false],
  ['ssmx', false],
])('the helper %s is ours: %j', (helper, expected) => {
  expect(isOurHelper(helper)).toBe(expected);
});

it.each([
  ['/opt/git-credential-ssm', '/opt/git-credential-ssm'],
  ['/a b/git-credential-ssm', "!'/a b/git-credential-ssm'"],
])('the helper at %s is written as %s', (path, value) => {
  expect(helperOf(path)).toBe(value);
});
