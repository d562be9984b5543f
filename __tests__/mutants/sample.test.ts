/** The parts of `npm run test:mutants -- COUNT SEED`. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { changed, changesOf } from './changes.ts';
import { draw } from './sample/draw.ts';
import { countsOf, type Verdict } from './sample/results.ts';
import { withSwitches } from './sample/switches.ts';
import { testsFor, type Measured } from './sample/tests-for.ts';

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
  const root = `${import.meta.dirname}/../..`;
  const change = { id: 7, file: 'src/action/disks.ts', line: 1, start: 0, end: 1, text: '', what: '' };
  const measured = (file: string, seconds: number, other: Partial<Measured> = {}): Measured => ({
    ...{ file, seconds, digest: '', passes: true, reached: [7], ...other },
  });
  const filesFor = (ones: readonly Measured[], file = change.file): object => {
    const { unit, programs } = testsFor({ ...change, file }, ones, { root, seconds: 10 });
    return { unit: unit.files, programs: programs.files };
  };

  it('are those that reach it and pass without it, the unit tests first', () => {
    const ones = [
      measured('__tests__/errors.test.ts', 1),
      measured('__tests__/deadline.test.ts', 1, { reached: [8] }),
      measured('__tests__/e2e/exec.test.ts', 1),
      measured('__tests__/e2e/add.test.ts', 1, { passes: false }),
    ];
    expect(filesFor(ones)).toEqual({
      unit: ['__tests__/errors.test.ts'],
      programs: ['__tests__/e2e/exec.test.ts'],
    });
  });

  it('begin with the nearest and the short ones, and end with the time', () => {
    const ones = [
      measured('__tests__/e2e/exec.test.ts', 4),
      measured('__tests__/e2e/add.test.ts', 3),
      measured('__tests__/e2e/job/disks.test.ts', 5),
    ];
    expect(filesFor(ones)).toEqual({
      unit: [],
      programs: ['__tests__/e2e/job/disks.test.ts', '__tests__/e2e/add.test.ts'],
    });
  });

  it('of the shell are named by its file', () => {
    const ones = [
      measured('__tests__/helper/find-node.test.ts', 1, { reached: [] }),
      measured('__tests__/e2e/add.test.ts', 1),
    ];
    expect(filesFor(ones, 'helper/find-node.sh')).toEqual({
      unit: [],
      programs: ['__tests__/helper/find-node.test.ts'],
    });
  });
});

it('counts by language and by the stage that kills', () => {
  const verdict = (id: number, other: Partial<Verdict>): Verdict => ({
    ...{ id, file: 'src/a.ts', outcome: 'killed', stage: 'unit', seconds: 1, ...other },
  });
  const verdicts = [
    verdict(1, {}),
    verdict(2, { stage: 'programs' }),
    verdict(3, { outcome: 'survived', stage: 'programs' }),
    verdict(4, { file: 'helper/ssm-ssh', stage: 'programs' }),
  ];
  expect(countsOf(verdicts)).toEqual([
    { language: 'TypeScript', mutants: 3, unit: 1, programs: 1, whole: 0, survived: 1, score: 66.6 },
    { language: 'shell', mutants: 1, unit: 0, programs: 1, whole: 0, survived: 0, score: 100 },
    { language: 'both', mutants: 4, unit: 1, programs: 2, whole: 0, survived: 1, score: 75 },
  ]);
});
