/** The parts of `npm run test:mutants -- COUNT SEED`. */
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { changed, changesOf } from './changes.ts';
import { isAbout } from './sample/by-folder.ts';
import { draw, placesIn } from './sample/draw.ts';
import { countsOf, type Verdict } from './sample/results.ts';
import { withSwitches } from './sample/switches.ts';
import { programTestsFor, unitTestsFor, usedTests, type Measured } from './sample/tests-for.ts';

const source = `
const names = { 'a b': 1, c: 'd' };
const results = [];
function pick(x, y, z) {
  if (x > 3 && y || z) return names['a b'] + x;
  const two = x === 1 ? 'one' : y ?? z;
  results.push(two);
  if (z) results.push(-2);
  else results.push(true);
  return two;
}
for (const x of [0, 1, 4]) for (const y of [0, 7, null]) for (const z of [false, true]) results.push(pick(x, y, z));
results.push(Object.keys(names).join());
`;

/** What the program gives, as text; an error's text, if it throws one. */
function run(text: string, active: number): string {
  const program = text.replace(/import .*? from '.*?';/, '');
  const { outputText } = ts.transpileModule(program, { compilerOptions: { target: ts.ScriptTarget.ES2023 } });
  try {
    const isActive = (id: number): boolean => id === active;
    return String(runInNewContext(`${outputText}; JSON.stringify(results);`, { __is: isActive }));
  } catch (error) {
    return String(error);
  }
}

describe('a file with switches', () => {
  const drawn = changesOf('x.ts', source).map((change, index) => ({ ...change, id: index + 1 }));
  const switched = withSwitches(source, drawn, './active-mutant.ts');

  it('does the same as before, if no change is active', () => {
    expect(drawn.length).toBeGreaterThan(30);
    expect(run(switched, 0)).toBe(run(source, 0));
  });

  it.each(drawn.map((change) => [change.id, change.what, change] as const))(
    'does the same as the changed text: %i, %s',
    (id, _, change) => {
      expect(run(switched, id)).toBe(run(changed(source, change), 0));
    },
  );
});

it('draws the same places for the same seed, and no place twice', () => {
  const places = Array.from({ length: 50 }, (_, index) => index);
  expect(draw(places, 20, 18)).toEqual(draw(places, 20, 18));
  expect(draw(places, 20, 18)).not.toEqual(draw(places, 20, 19));
  expect(draw(places, 90, 18).toSorted((a, b) => a - b)).toEqual(places);
});

describe('the tests for a change', () => {
  const change = { id: 7, file: 'src/action/disks.ts', line: 1, start: 0, end: 1, text: '', what: '' };
  const measured = (seconds: number, other: Partial<Measured> = {}): Omit<Measured, 'file'> => ({
    ...{ digest: '', passes: true, reached: [7], seconds, ...other },
  });
  const choiceOf = (tests: Readonly<Record<string, Omit<Measured, 'file'> | undefined>>) => ({
    seconds: 10,
    tests: Object.keys(tests).map((file) => ({ file, isUnit: !/e2e|helper/.test(file) })),
    measured: new Map(
      Object.entries(tests).flatMap(([file, one]) => (one === undefined ? [] : [[file, { file, ...one }]])),
    ),
  });

  it('are unit tests that reach it, and that pass without it', () => {
    const choice = choiceOf({
      '__tests__/errors.test.ts': measured(1),
      '__tests__/deadline.test.ts': measured(1, { reached: [8] }),
      '__tests__/back-off.test.ts': measured(1, { passes: false }),
      '__tests__/http-request.test.ts': undefined,
      '__tests__/e2e/exec.test.ts': measured(1),
    });
    expect(unitTestsFor(change, choice)).toEqual({ files: ['__tests__/errors.test.ts'], seconds: 1 });
  });

  it('with programs begin with the nearest and the short ones, and end with the time', () => {
    const choice = choiceOf({
      '__tests__/errors.test.ts': measured(1),
      '__tests__/e2e/calls.test.ts': measured(4),
      '__tests__/e2e/exec.test.ts': measured(4),
      '__tests__/e2e/add.test.ts': measured(1),
      '__tests__/e2e/job/disks.test.ts': measured(5),
    });
    expect(programTestsFor(change, choice)).toEqual({
      files: ['__tests__/e2e/add.test.ts', '__tests__/e2e/job/disks.test.ts', '__tests__/e2e/calls.test.ts'],
      seconds: 10,
    });
  });

  it('are those that are about the folder, where nobody knows what they reach', () => {
    const choice = choiceOf({
      '__tests__/e2e/cancel.test.ts': undefined,
      '__tests__/e2e/exec.test.ts': undefined,
      '__tests__/e2e/calls.test.ts': measured(1, { reached: [] }),
    });
    expect(programTestsFor(change, choice).files).toEqual(['__tests__/e2e/cancel.test.ts']);
  });

  it('are those that are about the file, in the shell', () => {
    const choice = choiceOf({
      '__tests__/helper/find-node.test.ts': measured(1, { reached: [] }),
      '__tests__/e2e/add.test.ts': measured(1),
    });
    const inShell = { ...change, file: 'helper/find-node.sh' };
    expect(programTestsFor(inShell, choice).files).toEqual(['__tests__/helper/find-node.test.ts']);
  });
});

it('knows tests with programs for each file', () => {
  const root = join(import.meta.dirname, '../..');
  const tests = usedTests(root).filter(({ isUnit }) => !isUnit);
  const files = new Set(placesIn(root).map(({ file }) => file));
  const without = [...files].filter((file) => !tests.some((test) => isAbout(test.file, file)));
  expect(without).toEqual([]);
});

it('counts by language and by the stage that kills, and in percent without what has an explanation', () => {
  const verdict = (id: number, other: Partial<Verdict>): Verdict => ({
    ...{ id, file: 'src/a.ts', outcome: 'killed', stage: 'unit', seconds: 1, ...other },
  });
  const verdicts = [
    verdict(1, {}),
    verdict(2, { stage: 'programs' }),
    verdict(3, { outcome: 'survived', stage: 'programs' }),
    verdict(4, { file: 'helper/ssm-ssh', stage: 'programs' }),
    verdict(5, { outcome: 'survived', stage: 'programs' }),
  ];
  const none = { unit: 0, programs: 0, whole: 0, survived: 0, explained: 0 };
  expect(countsOf(verdicts, ({ id }) => id === 5)).toEqual([
    {
      ...none,
      language: 'TypeScript',
      mutants: 4,
      unit: 1,
      programs: 1,
      survived: 1,
      explained: 1,
      score: 66.6,
    },
    { ...none, language: 'shell', mutants: 1, programs: 1, score: 100 },
    { ...none, language: 'both', mutants: 5, unit: 1, programs: 2, survived: 1, explained: 1, score: 75 },
  ]);
});
