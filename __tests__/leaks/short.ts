/** `npm run test:leaks` runs all situations; the suite runs a few, because strace takes seconds for each. */

const isShort = process.env['LEAKS'] !== 'all';

/** The situations of this run: each nth if it is short. */
export function situationsOf<Row>(rows: readonly Row[], nth: number): readonly Row[] {
  return isShort ? rows.filter((_, at) => at % nth === 0) : rows;
}
