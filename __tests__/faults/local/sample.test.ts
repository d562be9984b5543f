/**
 * A sample of the table of local faults: the first row of every third step; in the rest, that of the other steps, and every
 * sixteenth row. `npm run test:faults -- local` runs all.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { stateIsOurs } from '../../support/ec2-host.ts';
import { inLanes } from '../../support/in-lanes.ts';
import { describeWithMounts } from '../../support/node-wrapper.ts';
import { rowsOf } from '../../support/parts.ts';
import { everyNth, firstOfEachKind } from '../../support/sample.ts';
import type { LocalOutcome } from './judge.ts';
import { localRows, nameOf, openLocalGround, type LocalGround } from './rows.ts';

const { sample: first, rest } = firstOfEachKind(localRows, ({ step }) => step.name);
const { sample, rest: others } = everyNth(first, 3);
const rows = rowsOf({ sample, rest: [...others, ...everyNth(rest, 16).sample] });

describeWithMounts('a local fault', () => {
  let ground: LocalGround;
  let outcomes: readonly LocalOutcome[];

  beforeAll(async () => {
    expect(stateIsOurs).toBe(true);
    ground = await openLocalGround();
    outcomes = await inLanes(rows, [1, 2], (row) => ground.run(row));
  }, 300_000);
  afterAll(async () => {
    await ground.close();
  });

  it.each(rows.map((row, index) => [nameOf(row), index] as const))(
    'is handled as the contract says, and the next run works: %s',
    (_, index) => {
      expect(outcomes[index]?.wrong).toEqual([]);
    },
  );
});
