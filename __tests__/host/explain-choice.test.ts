/** Which keys explain says are offered, from where, and why. */
import { describe, expect, it } from '@jest/globals';
import { compile } from '../../src/host/compile.ts';
import {
  candidatesOf,
  chooseKeys,
  type Choice,
  type ForeignCommand,
  type JobRoute,
  type JobUse,
  type Situation,
} from '../../src/host/explain.ts';
import type { Environment } from '../../src/host/settings.ts';
import { parseKeyLine, type SigningKeyLine } from '../../src/keys/key-line.ts';
import { parseRepositoryPattern } from '../../src/keys/routes.ts';
import { listing } from '../support/listing.ts';

const section = 'global ssm.github.com/acme.key = /ci/acme';
const byDefault = 'global ssm.key = /ci/default';
const atAnotherPort = { host: 'ssm.example.com', port: 2222, path: 'a.b' };

/** A use of the action: a word for the repositories of each key. */
function use(folder: string, ...keys: readonly string[]): JobUse {
  const routes = keys.map((text, key): JobRoute => {
    const repositories = text.split(' ').filter(Boolean);
    return {
      ...{ key, fingerprint: `SHA256:${folder}${String(key)}` },
      repositories: repositories.map((one) => ({ port: 22, ...parseRepositoryPattern(one) })),
    };
  });
  return { folder: `/job/${folder}`, routes };
}

interface Given extends Partial<Situation> {
  readonly lines?: readonly string[];
  readonly env?: Environment;
}

function situation({ lines = [section, byDefault], env = {}, ...more }: Given = {}): Situation {
  return {
    remote: { host: 'github.com', path: 'acme/lib' },
    compiled: compile(listing(...lines), env, { byGit: true, jobRegion: '' }),
    ...{ env, uses: [], usesHostKeys: true, foreign: undefined },
    sourceOf: (name) => ({ name, scope: 'global', file: '/home/.gitconfig', line: 3 }),
    ...more,
  };
}

const choose = (given: Given): Choice => chooseKeys(situation(given));
const shownOf = ({ by, keys, why }: Choice): unknown => ({
  ...{ by, why },
  keys: keys.map(({ reference, fingerprint }) => reference ?? fingerprint),
});
const command = (bringsKey: boolean): ForeignCommand => ({
  ...{ command: '/usr/bin/ssh -i /key', bringsKey },
  source: { name: 'core.sshcommand', scope: 'local' },
});

describe('explain', () => {
  it.each<[string, Given, unknown]>([
    [
      'a line of keys',
      { uses: [use('a', 'github.com')] },
      { by: 'route', keys: ['SHA256:a0'], why: 'a line of keys names the repository' },
    ],
    [
      'a section',
      {},
      { by: 'section', keys: ['/ci/acme'], why: 'the section [ssm "github.com/acme"] names it' },
    ],
    [
      'two sections for the same repositories',
      { lines: [section, 'global ssm.git@GitHub.com:acme.key = /ci/other'] },
      {
        ...{ by: 'section', keys: ['/ci/acme', '/ci/other'] },
        why: 'several keys have the same pattern github.com/acme: the host takes the first that it knows',
      },
    ],
    [
      'a default key',
      { lines: [byDefault] },
      { by: 'default', keys: ['/ci/default'], why: 'no section names it, so the default key is used' },
    ],
    [
      'the default key of the job before one of the host',
      { lines: [byDefault], uses: [use('a', '')] },
      { by: 'default', keys: ['SHA256:a0'], why: 'no section names it, so the default key is used' },
    ],
    [
      'a default key of the host in a job that has none',
      { lines: [byDefault], uses: [use('a', 'gitlab.com')] },
      { by: 'default', keys: ['/ci/default'], why: 'no section names it, so the default key is used' },
    ],
    [
      'no key',
      { lines: [] },
      { by: 'ssh', keys: [], why: 'no section names it, and there is no default key' },
    ],
    [
      'a section before another ssh command',
      { foreign: command(true) },
      { by: 'section', keys: ['/ci/acme'], why: 'the section [ssm "github.com/acme"] names it' },
    ],
    [
      'another ssh command that brings a key',
      { lines: [byDefault], foreign: command(true) },
      { by: 'command', keys: [], why: 'no section names the repository, and it brings a key of its own' },
    ],
    [
      'another ssh command with the default key',
      { lines: [byDefault], foreign: command(false) },
      { by: 'command', keys: ['/ci/default'], why: 'no section names it, so the default key is used' },
    ],
    [
      'another ssh command and no key',
      { lines: [], foreign: command(false) },
      { by: 'command', keys: [], why: 'no section names the repository, and there is no default key' },
    ],
  ])('chooses %s', (_, given, expected) => {
    expect(shownOf(choose(given))).toEqual(expected);
  });

  it('has the place and the pattern of a section’s key', () => {
    expect(
      choose({ lines: ['global ssm.ssm.example.com:2222/a.b.key = /ci/x'], remote: atAnotherPort }).keys,
    ).toEqual([
      {
        ...{ reference: '/ci/x', fingerprint: undefined, repository: 'ssm.example.com:2222/a.b' },
        source: {
          ...{ name: 'ssm.ssm.example.com:2222/a.b.key', scope: 'global' },
          ...{ file: '/home/.gitconfig', line: 3 },
        },
        of: expect.objectContaining({ reference: '/ci/x', section: 'ssm.example.com:2222/a.b' }),
      },
    ]);
  });

  it('has a scope that is unknown where nobody knows the place', () => {
    const sourceOf = (): undefined => undefined;
    const sources = [choose({ sourceOf }), choose({ sourceOf, lines: [byDefault] })].flatMap(({ keys }) =>
      keys.map(({ source, repository }) => [source, repository]),
    );
    expect(sources).toEqual([
      [{ name: 'ssm.github.com/acme.key', scope: 'unknown' }, 'github.com/acme'],
      [{ name: 'ssm.key', scope: 'unknown' }, undefined],
    ]);
  });

  it.each([
    [{ SSM_SSH_KEY: '/ci/env' }, 'SSM_SSH_KEY', 'environment'],
    [{ SSM_SSH_KEY: '' }, 'ssm.key', 'global'],
    [{}, 'ssm.key', 'global'],
  ])('with %j has the default key from %s', (env, name, scope) => {
    const { keys } = choose({ lines: [byDefault], env });
    expect(keys.map(({ source }) => source)).toEqual([expect.objectContaining({ name, scope })]);
  });

  it('has a section’s place also if a variable names the default key', () => {
    const { keys } = choose({ env: { SSM_SSH_KEY: '/ci/env' } });
    expect(keys.map(({ source }) => source.name)).toEqual(['ssm.github.com/acme.key']);
  });
});

describe('a key of the job', () => {
  it('has its number, its file and its pattern, without the usual port', () => {
    expect(choose({ uses: [use('a', '', 'gitlab.com', 'github.com/acme')] }).keys).toEqual([
      {
        ...{ reference: undefined, fingerprint: 'SHA256:a2', repository: 'github.com/acme' },
        source: { name: 'key 3 of keys', scope: 'job', file: '/job/a/routes' },
        ...{ of: 2, line: undefined },
      },
    ]);
    const other = choose({ uses: [use('a', 'ssm.example.com:2222/a.b')], remote: atAnotherPort });
    expect(other.keys.map(({ repository }) => repository)).toEqual(['ssm.example.com:2222/a.b']);
  });

  it('has the reference of its line if our agent signs with it', () => {
    const line = parseKeyLine('kms:alias/deploy') as SigningKeyLine;
    const [route] = use('a', '').routes;
    const uses = [{ folder: '/job/a', routes: route ? [{ ...route, line }] : [] }];
    expect(choose({ lines: [], uses }).keys).toEqual([
      {
        ...{ reference: 'kms:alias/deploy', fingerprint: 'SHA256:a0', repository: undefined },
        source: { name: 'key 1 of keys', scope: 'job', file: '/job/a/routes' },
        ...{ of: 0, line },
      },
    ]);
  });

  it('with two patterns of the same place is offered once', () => {
    const [first] = use('a', 'github.com/acme').routes;
    const uses = [{ folder: '/job/a', routes: first ? [first, first] : [] }];
    expect(shownOf(choose({ uses }))).toMatchObject({ keys: ['SHA256:a0'] });
  });

  it('is a candidate beside those of the host', () => {
    const given = { uses: [use('a', 'github.com', '')] };
    const namesOf = (given: Given): unknown =>
      Object.fromEntries(
        Object.entries(candidatesOf(situation(given))).map(([kind, keys]: [string, Choice['keys']]) => [
          kind,
          keys.map(({ reference, fingerprint }) => reference ?? fingerprint),
        ]),
      );
    const ofJob = { route: ['SHA256:a0'], jobDefault: ['SHA256:a1'] };
    expect(namesOf(given)).toEqual({ ...ofJob, section: ['/ci/acme'], hostDefault: ['/ci/default'] });
    expect(namesOf({ ...given, usesHostKeys: false })).toEqual({ ...ofJob, section: [], hostDefault: [] });
    expect(namesOf({ usesHostKeys: false })).toEqual({
      ...{ route: [], jobDefault: [], section: ['/ci/acme'], hostDefault: ['/ci/default'] },
    });
  });
});
