/** Which test files are run for a change, in which order. */
import { basename, dirname, join } from 'node:path';
import { selectTests, startsNothing } from '../../support/suite/selection.ts';
import { isAbout } from './by-folder.ts';
import type { Drawn } from './draw.ts';

export interface TestFile {
  readonly file: string;
  readonly isUnit: boolean;
}

/** A test file in a run without changes. */
export interface Measured {
  readonly file: string;
  /** Tells whether the file is still the same. */
  readonly digest: string;
  readonly passes: boolean;
  readonly seconds: number;
  /** The numbers of the changes. */
  readonly reached: readonly number[];
}

export interface Planned {
  readonly files: readonly string[];
  readonly seconds: number;
}

/** They test the tools of the project, or run something for minutes. */
const others = /^__tests__\/(build|faults|kills|leaks|mutants|soak)\//;

export const usedTests = (root: string): TestFile[] =>
  selectTests(root, 'usual')
    .filter((file) => !others.test(file))
    .map((file) => ({ file, isUnit: startsNothing(join(root, file)) }));

/** Seconds of a test with programs that nobody has measured yet. */
const SUPPOSED = 8;

interface Choice {
  readonly tests: readonly TestFile[];
  readonly measured: ReadonlyMap<string, Measured>;
  /** Of tests, in each stage. */
  readonly seconds: number;
}

/** The unit tests that reach the change. */
export const unitTestsFor = (change: Drawn, choice: Choice): Planned =>
  planned(change, choice, ({ isUnit, file }) => isUnit && reaches(choice.measured.get(file), change));

/** The tests with programs that are about the file, and those that are known to reach the change. */
export const programTestsFor = (change: Drawn, choice: Choice): Planned =>
  planned(change, choice, ({ isUnit, file }) => {
    const measured = choice.measured.get(file);
    if (isUnit) return false;
    // No run can record what is reached in the shell.
    if (measured === undefined || !change.file.endsWith('.ts'))
      return measured?.passes !== false && (isAbout(file, change.file) || isNear(file, change.file));
    return reaches(measured, change);
  });

/** All that is about the file, too: `npm test` runs a part of some files, and only that part was recorded. */
export const allTestsFor = (change: Drawn, choice: Choice): Planned =>
  planned(change, choice, ({ file }) => {
    const measured = choice.measured.get(file);
    if (measured?.passes === false) return false;
    return isAbout(file, change.file) || isNear(file, change.file) || reaches(measured, change);
  });

const reaches = (measured: Measured | undefined, { id }: Drawn): boolean =>
  measured?.passes === true && measured.reached.includes(id);

function isNear(test: string, file: string): boolean {
  const words = [basename(file).replace(/\.(ts|sh)$/, ''), basename(dirname(file))];
  return words.some((word) => word.length > 3 && word !== 'helper' && test.includes(word));
}

/** The nearest ones first, and of these the short ones, until the time is used up. */
function planned(change: Drawn, choice: Choice, isWanted: (test: TestFile) => boolean): Planned {
  const secondsOf = (file: string): number => choice.measured.get(file)?.seconds ?? SUPPOSED;
  const cost = ({ file }: TestFile): number =>
    secondsOf(file) * (isNear(file, change.file) ? 1 : isAbout(file, change.file) ? 2 : 4);
  const files: string[] = [];
  let sum = 0;
  for (const { file } of choice.tests.filter(isWanted).sort((one, other) => cost(one) - cost(other))) {
    if (files.length > 0 && sum + secondsOf(file) > choice.seconds) continue;
    files.push(file);
    sum += secondsOf(file);
  }
  return { files, seconds: sum };
}
