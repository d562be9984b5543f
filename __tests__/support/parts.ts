/**
 * A test file in two parts: `npm test` runs a sample of it, `npm run test:rest` the other tests, and `npm run test:all`
 * and `npm test -- PATTERN` both.
 */
import { it as everyIt } from '@jest/globals';
import type { Sample } from './sample.ts';

const tests = process.env['TESTS'];
export const hasSample = tests !== 'rest';
export const hasRest = tests === 'rest' || tests === 'all';

type It = typeof everyIt;
const nothing = Object.assign(() => undefined, { each: () => () => undefined }) as unknown as It;

/** For the tests that `npm test` runs. */
export const it: It = hasSample ? everyIt : nothing;
/** For additional tests of `npm run test:all`. */
export const itInRest: It = hasRest ? everyIt : nothing;

/** The rows of this part. */
export function rowsOf<Row>({ sample, rest }: Sample<Row>): readonly Row[] {
  return [...(hasSample ? sample : []), ...(hasRest ? rest : [])];
}

let count = 0;
let insideWhole = false;
/** `npm test` runs the first test of a file and every eighth after it. */
const isRun = (): boolean => insideWhole || (count++ % 8 === 0 ? hasSample : hasRest);

/** For a file of independent end-to-end tests. A test and a row of a table count the same. */
export const itInTurn: It = Object.assign(
  (...test: Parameters<It>) => {
    if (isRun()) everyIt(...test);
  },
  {
    each: (rows: readonly unknown[]) => {
      const here = rows.filter(isRun);
      return here.length === 0 ? () => undefined : everyIt.each(here as unknown as readonly string[]);
    },
  },
) as unknown as It;

type Describe = (name: string, define: () => void) => void;

/** For tests with a shared set-up: they count as one. */
export const describeInTurn =
  (describe: Describe): Describe =>
  (name, define) => {
    if (!isRun()) return;
    describe(name, () => {
      insideWhole = true;
      define();
      insideWhole = false;
    });
  };
