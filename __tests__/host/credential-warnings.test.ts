/** The texts about git credentials, and what a URL or a path says of a repository. */
import { describe, expect, it } from '@jest/globals';
import type { Credential } from '../../src/git/credential.ts';
import { chooseRoute, readRoutes, repositoryOf, requestFor } from '../../src/host/credential-routes.ts';
import { failureOf, told } from '../support/failure-of.ts';

const settings = (given: Readonly<Record<string, string>>): Map<string, readonly string[]> =>
  new Map(Object.entries(given).map(([name, value]) => [name, [value]]));
const acme = { 'ssm.github.com/acme.credential': '/ci/acme' };
const choose = (given: Readonly<Record<string, string>>, request: Credential) =>
  chooseRoute(readRoutes(settings(given), {}).routes, { protocol: 'https', ...request });

describe('a warning', () => {
  it.each([
    [
      { 'ssm.me:password@no host.credential': '/x' },
      {},
      `the section [ssm "no host"] of git's configuration names no repository: it is ignored`,
    ],
    [
      { 'ssm.credential': '/x' },
      {},
      'ssm.credential is ignored: write it in a section that names a host, such as [ssm "github.com/acme"]',
    ],
    [
      {},
      { SSM_SSH_CREDENTIAL: '/x' },
      'SSM_SSH_CREDENTIAL is ignored: set SSM_SSH_CREDENTIAL_HOST to its host',
    ],
  ])('of %j and %j is the only result', (given, env, warning) => {
    expect(readRoutes(settings(given), env)).toEqual({ routes: [], warnings: [warning] });
  });

  it('of two sections for the same repositories names both', () => {
    const { named, warnings } = choose(
      { ...acme, 'ssm.https://github.com/Acme.credential': '/ci/b' },
      { host: 'github.com', path: 'acme/lib' },
    );
    expect(named?.reference).toBe('/ci/b');
    expect(warnings).toEqual([
      '[ssm "github.com/acme"] and [ssm "https://github.com/Acme"] name the same repositories: [ssm "https://github.com/Acme"] is used',
    ]);
  });

  it('of a request without a path has the command', () => {
    expect(choose(acme, { host: 'github.com' })).toEqual({
      warnings: [
        'git does not say for which repository, and [ssm "github.com/acme"] names only a part of the host: git config --global credential.https://github.com.useHttpPath true',
      ],
    });
    for (const path of ['', 'other/lib'])
      expect(choose(acme, { host: 'github.com', path })).toEqual({ warnings: [] });
  });
});

describe('SSM_SSH_CREDENTIAL', () => {
  const routesFor = (host: string) =>
    readRoutes(new Map(), { SSM_SSH_CREDENTIAL: '/x', SSM_SSH_CREDENTIAL_HOST: host });

  it('has its name as its place', () => {
    const { routes, warnings } = routesFor('git.test:8443');
    expect(warnings).toEqual([]);
    expect(routes).toEqual([
      {
        key: expect.objectContaining({ place: 'SSM_SSH_CREDENTIAL', reference: '/x', timeout: '30s' }),
        repositories: [{ host: 'git.test', port: 8443, path: '' }],
      },
    ]);
  });

  it('without a host in its variable names 100 characters of it', () => {
    expect(told(failureOf(() => routesFor(`!${'x'.repeat(200)}`)))).toBe(
      `SSM_SSH_CREDENTIAL_HOST is not a host: "!${'x'.repeat(99)}"\nwrite one exact host, with its port if it is not 443: github.com or git.example.com:8443`,
    );
  });
});

it.each([
  ['https://github.com/acme/lib.git', true, { host: 'github.com', path: 'acme/lib.git' }],
  ['https://github.com/acme/lib.git', false, { host: 'github.com' }],
  ['https://a%40b:c@h.test:8443/%61', true, { host: 'h.test:8443', path: 'a', username: 'a@b' }],
  ['https://h.test', true, { host: 'h.test', path: '' }],
])('git asks for %s (path: %j) with %j', (url, path, expected) => {
  expect(requestFor(new URL(url), { path })).toStrictEqual({ protocol: 'https', ...expected });
});

it.each([
  ['a/b.git/info/lfs', 'a/b.git'],
  ['a/b.git/info/lfs/objects/batch', 'a/b.git'],
  ['a/info/lfs-x', 'a/info/lfs-x'],
  ['a/b', 'a/b'],
])('the path %s is of the repository %s', (path, repository) => {
  expect(repositoryOf(path)).toBe(repository);
});

it.each([
  ['x[::1]', false],
  ['[::1]', true],
  ['[::1]:443', true],
  ['[::1]x', false],
  ['[[::1]', false],
  ['[::1]:123456', false],
])('a section for an IPv6 address answers the host %s: %j', (host, expected) => {
  const { named } = choose({ 'ssm.[::1].credential': '/x' }, { host, path: 'a/b' });
  expect(named !== undefined).toBe(expected);
});

it('a request without a host has no answer, whatever the sections are', () => {
  expect(choose({ ...acme, 'ssm.*.com.credential': '/x' }, { path: 'acme/lib' })).toEqual({ warnings: [] });
});
