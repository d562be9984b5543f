/** What explain says of keys, commands and settings that do not count. */
import { describe, expect, it } from '@jest/globals';
import { compile } from '../../src/host/compile.ts';
import {
  chooseKeys,
  passedOverBy,
  passedSettings,
  type ForeignCommand,
  type JobUse,
  type PassedOver,
  type Situation,
} from '../../src/host/explain.ts';
import { parseRepositoryPattern } from '../../src/keys/routes.ts';
import { listing } from '../support/listing.ts';

const section = 'global ssm.github.com/acme.key = /ci/acme';
const byDefault = 'global ssm.key = /ci/default';
const use = (folder: string, ...keys: readonly string[]): JobUse => ({
  folder,
  routes: keys.map((text, key) => ({
    ...{ key, fingerprint: `SHA256:${folder}${String(key)}` },
    repositories: text === '' ? [] : [parseRepositoryPattern(text)],
  })),
});
const foreign: ForeignCommand = {
  ...{ command: '/usr/bin/other-ssh -p password', bringsKey: true },
  source: { name: 'core.sshcommand', scope: 'local' },
};

interface Given extends Partial<Situation> {
  readonly lines?: readonly string[];
}

function situation({ lines = [section, byDefault], ...more }: Given): Situation {
  return {
    remote: { host: 'github.com', path: 'acme/lib' },
    compiled: compile(listing(...lines), {}, { byGit: true, jobRegion: '' }),
    ...{ env: {}, uses: [], usesHostKeys: true, foreign: undefined },
    sourceOf: (name) => ({ name, scope: 'global' }),
    ...more,
  };
}
const textsOf = (passed: readonly PassedOver[]): unknown =>
  passed.map(({ what, source, why }) => [what, source?.name, why]);

const defaultAndNamed = 'it is a default key, and another key names the destination';

describe('what explain passes over', () => {
  it.each<[string, Given, unknown]>([
    ['nothing', { lines: [section] }, []],
    ['a default key, for a section', {}, [['/ci/default', 'ssm.key', defaultAndNamed]]],
    [
      'a less specific section and one for another host',
      { lines: [section, 'global ssm.github.com.key = /ci/all', 'global ssm.gitlab.com.key = /ci/lab'] },
      [
        ['/ci/all', 'ssm.github.com.key', 'it is less specific'],
        ['/ci/lab', 'ssm.gitlab.com.key', 'it names something else'],
      ],
    ],
    [
      'the keys of the host, for a key of the job',
      { uses: [use('a', 'github.com', '', 'gitlab.com')] },
      [
        ['SHA256:a1', 'key 2 of keys', defaultAndNamed],
        ['SHA256:a2', 'key 3 of keys', 'it names something else'],
        ['/ci/acme', 'ssm.github.com/acme.key', 'a key of the job takes precedence'],
        ['/ci/default', 'ssm.key', defaultAndNamed],
      ],
    ],
    [
      'another key of the job, for a more specific one',
      { lines: [], uses: [use('a', 'github.com', 'github.com/acme')] },
      [['SHA256:a0', 'key 1 of keys', 'it is less specific']],
    ],
    [
      'the default key of the host, for one of the job',
      { lines: [byDefault], uses: [use('a', '')] },
      [['/ci/default', 'ssm.key', 'another default key takes precedence']],
    ],
    [
      'the keys of the host, in the command of exec',
      { uses: [use('a', '')], usesHostKeys: false },
      [
        ['/ci/acme', 'ssm.github.com/acme.key', 'the command of exec uses the keys of exec only'],
        ['/ci/default', 'ssm.key', 'the command of exec uses the keys of exec only'],
      ],
    ],
    [
      'other keys of the job, in the command of exec',
      { lines: [], uses: [use('a', 'github.com', '')], usesHostKeys: false },
      [['SHA256:a1', 'key 2 of keys', defaultAndNamed]],
    ],
    [
      'what it is elsewhere, in the command of exec without a job',
      { usesHostKeys: false },
      [['/ci/default', 'ssm.key', defaultAndNamed]],
    ],
    [
      'the default key, for another ssh command',
      { lines: [byDefault], foreign },
      [['/ci/default', 'ssm.key', "the repository's own ssh command brings a key"]],
    ],
    [
      'another ssh command, whose arguments are not shown, for a section',
      { lines: [section], foreign },
      [
        [
          '/usr/bin/other-ssh (its arguments are not shown)',
          'core.sshcommand',
          'a key that names the repository takes precedence',
        ],
      ],
    ],
    [
      'a key with the same reference in another section',
      { lines: [section, 'global ssm.github.com.key = /ci/acme'] },
      [['/ci/acme', 'ssm.github.com.key', 'it is less specific']],
    ],
  ])('is %s', (_, given, expected) => {
    expect(textsOf(chooseKeys(situation(given)).passedOver)).toEqual(expected);
  });

  it('is a key of the same setting as an offered one, with another reference', () => {
    const all = situation({ lines: [byDefault] });
    const [offered] = chooseKeys(all).keys;
    const keys = offered ? [{ ...offered, reference: '/ci/another' }] : [];
    expect(textsOf(passedOverBy({ by: 'default', keys }, all))).toEqual([
      ['/ci/default', 'ssm.key', 'another default key takes precedence'],
    ]);
  });

  it('is each default key at an EC2 host', () => {
    const all = situation({ lines: [byDefault], remote: { host: 'i-0123456789abcdef0', path: '' } });
    expect(chooseKeys(all)).toEqual({
      ...{ by: 'ssh', keys: [], why: 'no section names it, and there is no default key' },
      passedOver: [expect.objectContaining({ why: 'a default key never serves EC2 hosts' })],
    });
  });
});

describe('a setting that explain passes over', () => {
  const entry = (name: string, value: string | undefined, scope = 'global') => ({ name, value, scope });
  const source = { name: 'ssm.key', scope: 'global', file: '/x', line: 2 };

  it.each([
    ['ssm.key', true],
    ['ssm.credential', true],
    ['ssm.github.com/a.b.credential', true],
    ['ssm.region', false],
    ['ssm.keylifetime', false],
    ['ssm.mykey', false],
    ['xssm.key', false],
    ['core.key', false],
    ['ssm.github.com.key.x', false],
  ])('is a key or a credential: %s is one: %j', (name, expected) => {
    const passed = passedSettings([entry(name, '')], [source], () => undefined);
    const own = { what: name, source, why: 'an empty value means: not set' };
    expect(passed).toEqual(expected ? [own] : []);
  });

  it('without a value is not set', () => {
    expect(passedSettings([entry('ssm.key', undefined)], [], () => undefined)).toEqual([
      { what: 'ssm.key', source: undefined, why: 'an empty value means: not set' },
    ]);
  });

  it('has the reason of whoever does not count it, and replaces no other', () => {
    const entries = [
      entry('ssm.key', '/ours'),
      entry('ssm.key', '/theirs', 'local'),
      entry('ssm.key', '', 'local'),
    ];
    const counts = ({ scope }: { scope: string }): string | undefined =>
      scope === 'local' ? 'it is of the repository' : undefined;
    expect(passedSettings(entries, [undefined, source], counts)).toEqual([
      { what: '/theirs', source, why: 'it is of the repository' },
      { what: 'ssm.key', source: undefined, why: 'it is of the repository' },
    ]);
  });

  it('is replaced by a later one of the same name that counts, and not by itself', () => {
    const entries = [entry('ssm.key', '/a'), entry('ssm.x.key', '/b'), entry('ssm.key', '/c')];
    expect(passedSettings(entries, [source], () => undefined)).toEqual([
      { what: '/a', source, why: 'a later value of the same name counts' },
    ]);
  });
});
