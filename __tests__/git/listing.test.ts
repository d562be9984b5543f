import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import {
  canonicalName,
  inRepository,
  isProtected,
  isTrue,
  parseScoped,
  parseUnscoped,
  parseWithOrigins,
  settingsIn,
  writing,
} from '../../src/git/listing.ts';

/** What git itself takes the value for; it fails for one that is no boolean. */
const byGit = (setting: string): boolean => {
  const argv = ['-c', setting, 'config', '--type=bool', '--get', 'x.y'];
  return spawnSync('git', argv, { encoding: 'utf8' }).stdout.trim() === 'true';
};

describe('a boolean of git', () => {
  it.each([
    ...['true', 'True', 'TRUE', 'yes', 'on', 'On', '1', '7', '01', '+1', '-1', '1k', '1M'],
    ...['', 'false', 'no', 'off', '0', '00', '0k', 'maybe', 'true ', 'y', 't'],
    ...['10', '205k', '1x', '1xk', 'untrue', 'x1', 'truely', '1kb', '-010m'],
  ])('is read as git reads "%s"', (value) => {
    expect(isTrue(value)).toBe(byGit(`x.y=${value}`));
  });

  it('is true without a value', () => {
    expect(isTrue(undefined)).toBe(byGit('x.y'));
  });
});

describe('the list of git', () => {
  const global = { scope: 'global', name: 's.a', value: 'one\ntwo' };
  const local = { scope: 'local', name: 's.b', value: undefined };
  const empty = { scope: 'command', name: 's.c', value: '' };

  it('has a scope before each setting', () => {
    const text = 'global\0s.a\none\ntwo\0local\0s.b\0command\0s.c\n\0';
    expect(parseScoped(text)).toEqual([global, local, empty]);
    expect(parseScoped('')).toEqual([]);
  });

  it('has a scope and a place before each setting, if asked', () => {
    const text = 'global\0file:/x\0s.a\none\ntwo\0local\0file:.git/config\0s.b\0';
    expect(parseWithOrigins(text)).toEqual([
      { ...global, origin: 'file:/x' },
      { ...local, origin: 'file:.git/config' },
    ]);
  });

  it('has only settings, if git is too old', () => {
    expect(parseUnscoped('s.a\none\ntwo\0s.b\0', 'protected')).toEqual([
      { ...global, scope: 'protected' },
      { ...local, scope: 'protected' },
    ]);
  });

  it('has nothing but a name for a text that begins with a line break', () => {
    expect(parseUnscoped('\nvalue\0', 'global')).toEqual([{ scope: 'global', name: '', value: 'value' }]);
  });

  it('that ends too early has empty texts at its end', () => {
    const missing = { name: '', value: undefined };
    expect(parseScoped('global\0')).toEqual([{ scope: 'global', ...missing }]);
    expect(parseWithOrigins('global\0')).toEqual([{ scope: 'global', origin: '', ...missing }]);
  });

  it('gives each name all its values, in order, and a name without a value an empty one', () => {
    expect([...settingsIn([global, local, { ...global, value: 'three' }])]).toEqual([
      ['s.a', ['one\ntwo', 'three']],
      ['s.b', ['']],
    ]);
  });
});

it('the system, the user and the environment are trusted, a repository is not', () => {
  const scopes = ['system', 'global', 'command', 'protected', 'local', 'worktree', 'repository', 'new', ''];
  expect(scopes.filter((scope) => isProtected({ scope }))).toEqual([
    'system',
    'global',
    'command',
    'protected',
  ]);
});

it.each([
  ['SSM.Key', 'ssm.key'],
  ['SSM.GitHub.com/Acme.KeyLifetime', 'ssm.GitHub.com/Acme.keylifetime'],
  ['Url.A\nB.InsteadOf', 'url.A\nB.insteadof'],
  ['Url.\n.InsteadOf', 'url.\n.insteadof'],
  ['URL.A.B.C', 'url.A.B.c'],
])('%j is %j for git', (name, canonical) => {
  expect(canonicalName(name)).toBe(canonical);
});

it('a change replaces or removes all values, or those that match', () => {
  const setting = { name: 's.a', value: 'x' };
  expect(writing(setting, 'global')).toStrictEqual(['--global', '--replace-all', 's.a', 'x']);
  expect(writing({ ...setting, among: '^y' }, 'system')).toStrictEqual([
    ...['--system', '--replace-all', 's.a', 'x', '^y'],
  ]);
  expect(writing({ name: 's.a', value: undefined }, 'global')).toStrictEqual([
    '--global',
    '--unset-all',
    's.a',
  ]);
  expect(writing({ name: 's.a', value: undefined, among: '^y' }, 'global')).toStrictEqual([
    ...['--global', '--unset-all', 's.a', '^y'],
  ]);
});

describe('the list of a git without scopes', () => {
  const listed = (scope: string, ...settings: readonly string[]) =>
    parseUnscoped(settings.map((setting) => `${setting.replace('=', '\n')}\0`).join(''), scope);
  const inside = (elsewhere: readonly string[], here: readonly string[]): string[] =>
    inRepository(listed('protected', ...elsewhere), listed('repository', ...here)).map(
      ({ scope, name, value }) => `${scope} ${name}=${value ?? ''}`,
    );

  it("has as the repository's own only what is not listed without it", () => {
    expect(inside(['s.a=1', 's.b=2'], ['s.a=1', 's.b=2'])).toEqual(['protected s.a=1', 'protected s.b=2']);
    expect(inside(['s.a=1', 's.a=3'], ['s.a=1', 's.a=2', 's.a=3'])).toEqual([
      ...['protected s.a=1', 'repository s.a=2', 'protected s.a=3'],
    ]);
    // The repository repeats a value of the user.
    expect(inside(['s.a=1'], ['s.a=1', 's.a=1'])).toEqual(['protected s.a=1', 'repository s.a=1']);
    expect(inside(['s.a=1'], [])).toEqual(['protected s.a=1']);
  });

  it('keeps what is protected, if the order differs', () => {
    expect(inside(['s.a=1', 's.b=2'], ['s.b=2', 's.c=3', 's.a=1'])).toEqual([
      ...['protected s.a=1', 'protected s.b=2', 'repository s.c=3'],
    ]);
  });
});
