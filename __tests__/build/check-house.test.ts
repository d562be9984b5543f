/** The problems that `npm run check:house` finds, each in a minimal set of files. */
import { describe, expect, it } from '@jest/globals';
import { problemsOf } from '../../build/check-house.ts';
import { phrases, wordingProblems } from '../../build/plain-english.ts';

const entry = "import { add } from '../commands/add.ts';\n";

/** Files without a problem. */
const good = {
  'src/errors.ts': '/** Failures. Pure. */\nexport const code = 1;\n',
  'src/keys/line.ts':
    "/** A line. Pure. */\nimport { code } from '../errors.ts';\nexport const line = code;\n",
  'src/aws/role.ts': "/** A role. */\nimport { line } from '../keys/line.ts';\nexport const role = line;\n",
  'helper/command-line/program.ts': `/** Finds the command. */\n${entry}export const all = [add];\n`,
  'helper/commands/add.ts': '/** `add`. */\nexport const add = 1;\n',
  'helper/ssm-ssh': '#!/bin/sh\n# Says what it is.\n\nexec ssh "$@"\n',
};

const problems = (changed: Readonly<Record<string, string>>, shellLimit = 1): string[] =>
  problemsOf(
    new Map(Object.entries({ ...good, ...changed })),
    ['src/errors.ts', 'src/keys/*.ts'],
    shellLimit,
  );

describe('the rules of the architecture', () => {
  it('accept files without a problem', () => {
    expect(problems({})).toEqual([]);
  });

  it.each([
    ['import', "import { role } from '../aws/role.ts';\nexport const session = role;\n"],
    ['type import', "import type { role } from '../aws/role.ts';\nexport type Session = typeof role;\n"],
    ['type of a name', "import { type role } from '../aws/role.ts';\nexport type Session = typeof role;\n"],
    ['dynamic import', "export const session = await import('../aws/role.ts');\n"],
    ['import in a type', "export type Session = import('../aws/role.ts').Role;\n"],
    ['export from', "export * from '../aws/role.ts';\n"],
  ])('refuse an import circle: %s', (_, text) => {
    const role =
      "/** A role. */\nimport { session } from '../ec2/session.ts';\nexport const role = session;\n";
    expect(problems({ 'src/aws/role.ts': role, 'src/ec2/session.ts': `/** A session. */\n${text}` })).toEqual(
      [
        'src/aws/role.ts → src/ec2/session.ts → src/aws/role.ts: an import circle: move the shared part to a separate file',
      ],
    );
  });

  it('report a circle of three files once', () => {
    const to = (name: string): string => `/** One. */\nimport '../aws/${name}.ts';\n`;
    expect(problems({ 'src/aws/a.ts': to('b'), 'src/aws/b.ts': to('c'), 'src/aws/c.ts': to('a') })).toEqual([
      expect.stringMatching(/^src\/aws\/a\.ts → src\/aws\/b\.ts → src\/aws\/c\.ts → src\/aws\/a\.ts: /),
    ]);
  });

  it('require each file with "Pure." in its header in the list of pure files', () => {
    expect(problems({ 'src/aws/role.ts': '/** A role. Pure. */\nexport const role = 1;\n' })).toEqual([
      'src/aws/role.ts: says "Pure." in its header: add it to pureFiles in eslint.config.js',
    ]);
  });

  it('require "Pure." in the header of each listed file, not in a later comment', () => {
    expect(
      problems({ 'src/keys/line.ts': '/** A line. */\n/** Pure. */\nexport const line = 1;\n' }),
    ).toEqual([
      'src/keys/line.ts: is in pureFiles of eslint.config.js: say "Pure." in its header, or remove the file there',
    ]);
  });

  it('refuse a listed pure file that does not exist', () => {
    expect(
      problemsOf(new Map(Object.entries(good)), ['src/{errors,gone}.ts', 'src/keys/*.ts', 'src/x.ts'], 1),
    ).toEqual(['eslint.config.js: no file matches src/x.ts: remove it from pureFiles']);
  });

  it('allow a pure file to import types of other files, but not values', () => {
    const line = (kind: string): string =>
      `/** A line. Pure. */\nimport ${kind}{ now } from './clock.ts';\nexport type Line = typeof now;\n`;
    const [clock, reads] = ['src/process/clock.ts', '/** A clock. */\nexport const now = Date.now();\n'];
    const from = (kind: string): string => line(kind).replace('./clock.ts', '../process/clock.ts');
    expect(problems({ [clock]: reads, 'src/keys/line.ts': from('type ') })).toEqual([]);
    expect(problems({ [clock]: reads, 'src/keys/line.ts': from('') })).toEqual([
      'src/keys/line.ts: is pure but imports src/process/clock.ts, which is not: move the part that it needs',
    ]);
  });

  it.each([
    ['that no entry starts', {}],
    ['that another command uses', { 'helper/commands/add.ts': "/** `add`. */\nimport './store.ts';\n" }],
    ['that a shared file uses', { 'helper/proxy/way.ts': "/** A way. */\nimport '../commands/store.ts';\n" }],
  ])('refuse a file in commands %s', (_, users) => {
    expect(
      problems({ 'helper/commands/store.ts': '/** A store. */\nexport const store = 1;\n', ...users }),
    ).toEqual(['helper/commands/store.ts: not a subcommand: move it to the folder of the files that use it']);
  });

  it('limit the lines of shell code, without comments and blank lines', () => {
    expect(problems({ 'helper/part.sh': '# A part.\n\n' })).toEqual([]);
    expect(problems({ 'helper/part.sh': '# A part.\nset -eu\n' })).toEqual([
      'helper: 2 lines of shell code, more than 1: move logic to Node',
    ]);
  });
});

describe('plain English', () => {
  const found = (text: string): string[] => wordingProblems(new Map([['docs/a.md', text]]));

  it.each(Object.entries(phrases))('refuses "%s", with the line and the replacement', (phrase, instead) => {
    const problem = `docs/a.md:2: "${phrase}" is not plain English: write ${instead}`;
    expect(found(`First line.\nA sentence, ${phrase}.\n`)).toEqual([problem]);
    expect(found(`\n${phrase.toUpperCase()}\n`)).toEqual([problem]);
  });

  it.each(['\n', '\n * ', '\n// ', '\n# ', '\n> '])('finds a phrase that %j divides', (between) => {
    const phrase = Object.keys(phrases).find((known) => known.includes(' ')) ?? '';
    expect(found(phrase.replace(' ', between))).toHaveLength(1);
  });

  it('accepts the replacements, and words that only contain a phrase', () => {
    const contained = Object.keys(phrases).map((phrase) => `x${phrase}x`);
    expect(found([...Object.values(phrases), ...contained].join('\n'))).toEqual([]);
  });

  it('lists all problems of a file by line, and those of every file', () => {
    const [first = '', second = ''] = Object.keys(phrases);
    const files = new Map([
      ['a.ts', `${second}\n${first}\n${first}`],
      ['b.sh', first],
    ]);
    const places = wordingProblems(files).map((problem) => problem.split(' ')[0]);
    expect(places).toEqual(['a.ts:1:', 'a.ts:2:', 'a.ts:3:', 'b.sh:1:']);
  });
});
