/** The second table of `npm run test:faults`: every local step with every local trouble. It needs root on Linux. */
import { inLanes } from '../../support/in-lanes.ts';
import { localRows, nameOf, openLocalGround } from './rows.ts';

/** @returns whether every row is as promised */
export async function runLocal(words: readonly string[], atOnce: number): Promise<boolean> {
  const wanted = localRows.filter((row) => words.every((word) => nameOf(row).includes(word)));
  const ground = await openLocalGround();
  const lanes = Array.from({ length: atOnce }, (_, lane) => lane);
  const failed: string[] = [];
  await inLanes(wanted, lanes, async (row) => {
    const { code, milliseconds, wrong, late } = await ground.run(row);
    const problems = [...wrong, ...(late ? ['too late'] : [])];
    if (problems.length > 0) failed.push(nameOf(row));
    const seconds = `${(milliseconds / 1000).toFixed(1)} s`.padStart(7);
    console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${seconds}  ${code.padEnd(20)} ${nameOf(row)}`);
    for (const problem of problems) console.log(`       ${problem}`);
  });
  await ground.close();
  console.log(`\n${wanted.length} local rows, ${failed.length} not as promised`);
  for (const name of failed) console.log(`  ${name}`);
  return failed.length === 0;
}
