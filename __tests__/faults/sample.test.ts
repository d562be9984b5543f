/**
 * A sample of the table of faults: each call with one fault; in the rest, each fault with one call. `npm run
 * test:faults` runs all.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inLanes } from '../support/in-lanes.ts';
import { rowsOf } from '../support/parts.ts';
import { firstOfEachKind } from '../support/sample.ts';
import { calls } from './calls.ts';
import { openGround, rows, type Ground, type Outcome, type Row } from './row.ts';
import { troubles, type Trouble } from './troubles.ts';

const faultOf = ({ name }: Trouble): string => name.replace(', once', '');
const faults = [...new Set(troubles.map(faultOf))];
/** Permanent faults take long. These are tested once only, and have to be overcome. */
const slow = /^(hang|drip|stall)/;

/** For each fault, a call in turn that can have it; alternately one that is overcome and one that stays. */
const everyFault: readonly Row[] = faults.flatMap((fault, turn) => {
  const variants = troubles.filter((trouble) => faultOf(trouble) === fault);
  const wanted = variants[slow.test(fault) || variants.length === 1 ? 0 : turn % 2];
  const possible = rows.filter(({ trouble }) => trouble === wanted);
  const order = (row: Row): number =>
    (calls.indexOf(row.call) + calls.length - (turn % calls.length)) % calls.length;
  return possible.sort((one, other) => order(one) - order(other)).slice(0, 1);
});

const sample = rowsOf(firstOfEachKind(everyFault, ({ call }) => call.operation));

describe('a fault in a call of main', () => {
  let ground: Ground;
  let outcomes: readonly Outcome[];

  beforeAll(async () => {
    ground = await openGround();
    outcomes = await inLanes(sample, [1, 2, 3], (row) => ground.run(row));
  });
  afterAll(async () => {
    await ground.close();
  });

  it('covers every fault of the table, and every call', () => {
    expect(everyFault.map(({ trouble }) => faultOf(trouble))).toEqual(faults);
    expect(new Set(everyFault.map(({ call }) => call)).size).toBe(calls.length);
  });

  it.each(sample.map(({ call, trouble }, index) => [trouble.name, call.operation, index] as const))(
    '%s at %s is handled as the contract says',
    (_, __, index) => {
      expect(outcomes[index]?.wrong).toEqual([]);
    },
  );
});
