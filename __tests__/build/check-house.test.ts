/** What `npm run check:house` refuses, each in the smallest house that has it. */
import { describe, expect, it } from '@jest/globals';
import { problemsOf } from '../../build/check-house.ts';

const entry = "import { add } from '../commands/add.ts';\n";

/** A house with nothing wrong in it. */
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

describe('the house', () => {
  it('is accepted where nothing is wrong', () => {
    expect(problems({})).toEqual([]);
  });

  it.each([
    ['import', "import { role } from '../aws/role.ts';\nexport const session = role;\n"],
    ['type import', "import type { role } from '../aws/role.ts';\nexport type Session = typeof role;\n"],
    ['type of a name', "import { type role } from '../aws/role.ts';\nexport type Session = typeof role;\n"],
    ['dynamic import', "export const session = await import('../aws/role.ts');\n"],
    ['import in a type', "export type Session = import('../aws/role.ts').Role;\n"],
    ['export from', "export * from '../aws/role.ts';\n"],
  ])('has no circle: %s', (_, text) => {
    const role =
      "/** A role. */\nimport { session } from '../ec2/session.ts';\nexport const role = session;\n";
    expect(problems({ 'src/aws/role.ts': role, 'src/ec2/session.ts': `/** A session. */\n${text}` })).toEqual(
      [
        'src/aws/role.ts → src/ec2/session.ts → src/aws/role.ts: an import circle: move what both need to a file of its own',
      ],
    );
  });

  it('names a circle of three once', () => {
    const to = (name: string): string => `/** One. */\nimport '../aws/${name}.ts';\n`;
    expect(problems({ 'src/aws/a.ts': to('b'), 'src/aws/b.ts': to('c'), 'src/aws/c.ts': to('a') })).toEqual([
      expect.stringMatching(/^src\/aws\/a\.ts → src\/aws\/b\.ts → src\/aws\/c\.ts → src\/aws\/a\.ts: /),
    ]);
  });

  it('lists each file that says that it is pure', () => {
    expect(problems({ 'src/aws/role.ts': '/** A role. Pure. */\nexport const role = 1;\n' })).toEqual([
      'src/aws/role.ts: says "Pure." in its header: add it to pureFiles in eslint.config.js',
    ]);
  });

  it('has "Pure." in the header of each file that is listed, and not below it', () => {
    expect(
      problems({ 'src/keys/line.ts': '/** A line. */\n/** Pure. */\nexport const line = 1;\n' }),
    ).toEqual([
      'src/keys/line.ts: is in pureFiles of eslint.config.js: say "Pure." in its header, or take it out there',
    ]);
  });

  it('lists no pure file that is not there', () => {
    expect(
      problemsOf(new Map(Object.entries(good)), ['src/{errors,gone}.ts', 'src/keys/*.ts', 'src/x.ts'], 1),
    ).toEqual(['eslint.config.js: no file is src/x.ts: take it out of pureFiles']);
  });

  it('lets a pure file import the types of others, and not their values', () => {
    const line = (kind: string): string =>
      `/** A line. Pure. */\nimport ${kind}{ now } from './clock.ts';\nexport type Line = typeof now;\n`;
    const [clock, reads] = ['src/process/clock.ts', '/** A clock. */\nexport const now = Date.now();\n'];
    const from = (kind: string): string => line(kind).replace('./clock.ts', '../process/clock.ts');
    expect(problems({ [clock]: reads, 'src/keys/line.ts': from('type ') })).toEqual([]);
    expect(problems({ [clock]: reads, 'src/keys/line.ts': from('') })).toEqual([
      'src/keys/line.ts: is pure and imports src/process/clock.ts, which is not: move what it needs',
    ]);
  });

  it.each([
    ['that nobody starts', {}],
    ['that another command uses', { 'helper/commands/add.ts': "/** `add`. */\nimport './store.ts';\n" }],
    [
      'that what commands share uses',
      { 'helper/proxy/way.ts': "/** A way. */\nimport '../commands/store.ts';\n" },
    ],
  ])('has nothing in commands %s', (_, users) => {
    expect(
      problems({ 'helper/commands/store.ts': '/** A store. */\nexport const store = 1;\n', ...users }),
    ).toEqual([
      'helper/commands/store.ts: no subcommand of its own: move it to the folder of those that use it',
    ]);
  });

  it('has no more lines of shell code than the limit: comments and blank lines are none', () => {
    expect(problems({ 'helper/part.sh': '# A part.\n\n' })).toEqual([]);
    expect(problems({ 'helper/part.sh': '# A part.\nset -eu\n' })).toEqual([
      'helper: 2 lines of shell code, more than 1: move a thought to Node',
    ]);
  });
});
