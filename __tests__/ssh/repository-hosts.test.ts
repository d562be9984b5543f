/** The hosts that a key may sign for, found in known_hosts. */
import { expect, it } from '@jest/globals';
import { parseRepositoryPattern } from '../../src/keys/routes.ts';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { hostNames, hostsOf } from '../../src/ssh/repository-hosts.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf';
const hostsFor = (patterns: readonly string[], lines: string): [string, number, number][] =>
  hostsOf(patterns.map(parseRepositoryPattern), lines).map(({ host, keys, revoked }) => [
    host,
    keys.length,
    revoked.length,
  ]);

it('are written as known_hosts has them, with a port that is not 22', () => {
  const patterns = ['git.example.com/a', 'git.example.com:22/a', 'git.example.com:2222'];
  expect(hostNames(patterns.map(parseRepositoryPattern))).toEqual([
    'git.example.com',
    'git.example.com',
    '[git.example.com]:2222',
  ]);
});

it('are the pinned ones for a key without repositories', () => {
  const hosts = hostsFor([], renderKnownHosts(''));
  expect(hosts.find(([host]) => host === 'github.com')).toEqual(['github.com', 3, 0]);
  expect(hosts.every(([, keys]) => keys > 0)).toBe(true);
});

it('have the keys of their lines, and what is revoked', () => {
  const lines = `one.example.com ${key}\n@revoked one.example.com ${other}\n@cert-authority *.example.com ${other}\n`;
  expect(hostsFor(['one.example.com/a', 'one.example.com/b'], lines)).toEqual([['one.example.com', 1, 1]]);
  expect(hostsFor(['two.example.com'], lines)).toEqual([['two.example.com', 1, 0]]);
  expect(hostsFor(['example.org'], lines)).toEqual([['example.org', 0, 0]]);
});

it('of a wildcard are those with one label in its place, in readable lines', () => {
  const lines = [
    `a.example.com,B.example.com,10.0.0.1 ${key}`,
    `x.y.example.com ${key}`,
    `*.example.com ${key}`,
    `!c.example.com,*.com ${key}`,
    `|1|c2FsdA==|aGFzaA== ${key}`,
    `@revoked d.example.com ${key}`,
    `# e.example.com ${key}`,
    `notexample.com ${key}`,
  ].join('\n');
  expect(hostsFor(['*.example.com/team'], lines).map(([host]) => host)).toEqual([
    'a.example.com',
    'b.example.com',
    'd.example.com',
  ]);
});
