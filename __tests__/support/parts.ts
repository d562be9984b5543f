/**
 * A test file in two parts: `npm test` runs NAME.test.ts; NAME.rest.test.ts imports `suite/rest.ts` and then NAME.test.ts,
 * and so has what the first part leaves out, and only that.
 */
import { it as everyIt } from '@jest/globals';
import type { Part, Sample } from './sample.ts';
import { restFlag } from './suite/rest-flag.ts';

export const part: Part = restFlag in globalThis ? 'rest' : 'sample';

type It = typeof everyIt;
const nothing = Object.assign(() => undefined, { each: () => () => undefined }) as unknown as It;

/** For the tests that `npm test` runs. */
export const it: It = part === 'sample' ? everyIt : nothing;
/** For what `npm run test:all` runs beyond that. */
export const itInRest: It = part === 'rest' ? everyIt : nothing;

/** The rows of this part. */
export function rowsOf<Row>(rows: Sample<Row>): readonly Row[] {
  return rows[part];
}
