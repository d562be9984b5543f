/** A sample of the table of faults: each trouble once, and each call. `npm run test:faults` has them all. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inLanes } from '../support/in-lanes.ts';
import { calls } from './calls.ts';
import { openGround, rows, type Ground, type Outcome, type Row } from './row.ts';
import { troubles } from './troubles.ts';

/** For each trouble the call of its turn, or the next one that can meet it. */
const sample: readonly Row[] = troubles.flatMap(({ name }, turn) => {
  const possible = rows.filter(({ trouble }) => trouble.name === name);
  const order = (row: Row): number => (calls.indexOf(row.call) - turn + calls.length) % calls.length;
  return possible.sort((one, other) => order(one) - order(other)).slice(0, 1);
});

describe('trouble with a call of main', () => {
  let ground: Ground;
  let outcomes: readonly Outcome[];

  beforeAll(async () => {
    ground = await openGround();
    outcomes = await inLanes(sample, [1, 2, 3], (row) => ground.run(row));
  }, 180_000);
  afterAll(async () => {
    await ground.close();
  });

  it('is each that the table has, and each call', () => {
    expect(new Set(sample.map(({ trouble }) => trouble)).size).toBe(troubles.length);
    expect(new Set(sample.map(({ call }) => call)).size).toBe(calls.length);
  });

  it.each(sample.map(({ call, trouble }, index) => [trouble.name, call.operation, index] as const))(
    '%s at %s is as the contract has it',
    (_, __, index) => {
      expect(outcomes[index]?.wrong).toEqual([]);
    },
  );
});
