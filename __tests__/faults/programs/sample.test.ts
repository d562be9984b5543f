/** A sample of the table of faults of the programs: each program with one fault, in turn. `npm run test:faults -- programs` runs all. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { inLanes } from '../../support/in-lanes.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { rowsOf } from '../../support/parts.ts';
import type { LocalOutcome } from '../local/judge.ts';
import {
  nameOfProgramRow,
  openProgramGround,
  programRows,
  type ProgramGround,
  type ProgramRow,
} from './row.ts';

/** They take the whole time limit. */
const slow = /× (hang|drip|throttled)$/;
const quick = programRows.filter((row) => !slow.test(nameOfProgramRow(row)));

const inTurn: readonly ProgramRow[] = [...new Set(programRows.map(({ call }) => call.program))].flatMap(
  (name, turn) => {
    const rows = quick.filter(({ call }) => call.program === name);
    return rows.filter((_, at) => at === (turn * 5 + 1) % rows.length);
  },
);
const [first = [], ...others] = inTurn.map((row) => [row]);
const rows = rowsOf({ sample: first, rest: others.flat() });

describeOnHost('a fault in a call of a program', () => {
  let ground: ProgramGround;
  let outcomes: readonly LocalOutcome[];

  beforeAll(async () => {
    ground = await openProgramGround();
    outcomes = await inLanes(rows, [1, 2, 3], (row) => ground.run(row));
  });
  afterAll(async () => {
    await ground.close();
  });

  it.each(rows.map((row, index) => [nameOfProgramRow(row), index] as const))(
    'is handled as the contract says, and the next run works: %s',
    (_, index) => {
      expect(outcomes[index]?.wrong).toEqual([]);
    },
  );
});
