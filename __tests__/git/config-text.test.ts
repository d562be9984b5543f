import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { headerOf, linesOfSetting, quotedValue, sectionsOf } from '../../src/git/config-text.ts';

const text = `# [ssm] key = /comment
[SSM]
	Key = /default
; key = /comment
[ssm "github.com/Acme"] key = /acme # behind
	passphrase = one \\
  key = /no-setting
[ssm "quo\\"te\\\\d"]
	key=/quoted
[ssm.Old]
	key = /old
[ssm]
	region
	key = /again
[core] # key = /comment
	sshCommand = "ssh -i \\"x\\"" \\
		-4
`;

describe('the lines of a setting', () => {
  let file: string;
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lines-'));
    file = join(folder, 'config');
    writeFileSync(file, text);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['ssm.key', [3, 14]],
    ['ssm.github.com/Acme.key', [5]],
    ['ssm.github.com/acme.key', []],
    ['ssm.github.com/Acme.passphrase', [6]],
    ['ssm.quo"te\\d.key', [9]],
    ['ssm.old.key', [11]],
    ['ssm.region', [13]],
    ['core.sshcommand', [16]],
    ['ssm.nothing', []],
  ])('%s are %j', (name, lines) => {
    expect(linesOfSetting(text, name)).toEqual(lines);
  });

  it('are as many as git reads values', () => {
    const listed = execFileSync('git', ['config', '--file', file, '--list', '--name-only', '-z'], {
      encoding: 'utf8',
    });
    const names = listed.split('\0').filter(Boolean);
    expect(names.length).toBe(8);
    for (const name of new Set(names))
      expect([name, linesOfSetting(text, name).length]).toEqual([
        name,
        names.filter((one) => one === name).length,
      ]);
  });
});

describe('a value', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'values-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  /** git's own reading. */
  function byGit(text: string): string {
    const file = join(folder, 'config');
    writeFileSync(file, text);
    return execFileSync('git', ['config', '--file', file, '-z', 's.a'], { encoding: 'utf8' }).slice(0, -1);
  }
  const valuesIn = (text: string) =>
    sectionsOf(text).flatMap(({ entries }) => entries.map(({ value }) => value));

  it.each([
    ['a = one  two ', 'one  two'],
    ['a = one ; behind', 'one'],
    ['a = one # behind', 'one'],
    ['a = "one # two" ', 'one # two'],
    ['a = " one "', ' one '],
    ['a = x"; y"z', 'x; yz'],
    ['a = \\t\\n\\b\\"\\\\', '\t\n\b"\\'],
    ['a = one\\\n two', 'one two'],
    ['a =', ''],
    ['a = x;y', 'x'],
    ['a = "x\\\\;y"', 'x\\;y'],
    ['a = "\t"x', '\tx'],
    ['a = x\\\\ y', 'x\\ y'],
  ])('is read as git reads it: %j', (line, value) => {
    const text = `[s]\n${line}\n`;
    expect(valuesIn(text)).toEqual([value]);
    expect(byGit(text)).toBe(value);
  });

  it('is missing where a name stands alone', () => {
    expect(valuesIn('[s]\na\n[s]\n\tb-c')).toEqual([undefined, undefined]);
  });

  it.each(['plain', '', ' in front', 'behind ', 'a;b', 'a#b', 'a"b', 'a\\b', 'a\nb', 'a\tb', 'a\rb', 'a b'])(
    'that we write, git and we read again: %j',
    (value) => {
      const text = `[s]\n\ta = ${quotedValue(value)}\n`;
      expect(valuesIn(text)).toEqual([value]);
      expect(byGit(text)).toBe(value);
    },
  );

  it('is written in quotes only where it must be', () => {
    expect(['a b', 'a;b', ' a', 'a '].map(quotedValue)).toEqual(['a b', '"a;b"', '" a"', '"a "']);
  });
});

it.each([
  ['ssm.key', '[ssm]'],
  ['ssm.github.com/acme.key', '[ssm "github.com/acme"]'],
  ['ssm.a"b\\c.key', '[ssm "a\\"b\\\\c"]'],
  ['ssm.a\tb.c.d.key', '[ssm "a\tb.c.d"]'],
])('the section of %s is %s', (name, header) => {
  expect(headerOf(name)).toBe(header);
  expect(sectionsOf(header).map((section) => `${section.name}.key`)).toEqual([name]);
});

it.each([
  ['[s \t "x"]', 's.x'],
  ['[s"x"]', undefined],
  ['[s', undefined],
])('the section that begins with %j is %s', (header, name) => {
  expect(sectionsOf(`${header}\na = 1`).map((section) => section.name)).toEqual(name ? [name] : []);
});

it('a file that ends in blank lines, or has nothing else, has no more sections', () => {
  expect(sectionsOf('')).toEqual([]);
  expect(sectionsOf('\n \t\n')).toEqual([]);
  expect(sectionsOf('[s]\n \n').map((section) => section.name)).toEqual(['s']);
});

it('the lines of each entry are counted, and what belongs to no section is left out', () => {
  const text = '\uFEFFlost = 1\r\n[S "X"]\r\n? refused\r\na = 1\\\n2\n\n  B=3 # x';
  expect(sectionsOf(text)).toEqual([
    {
      ...{ name: 's.X', start: 1 },
      entries: [
        { name: 's.X.a', value: '12', first: 3, last: 4 },
        { name: 's.X.b', value: '3', first: 6, last: 6 },
      ],
    },
  ]);
});
