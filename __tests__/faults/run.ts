/**
 * `npm run test:faults`: every call of main and of the programs with every fault, and then every local step with every local
 * trouble. `npm run test:faults -- sts drip` runs the rows with these words in their names, `npm run test:faults -- local post`
 * the local ones, `npm run test:faults -- programs` those of the programs. AT_ONCE sets how many run in parallel, ACTION the
 * folder of the action.
 */
import { inLanes } from '../support/in-lanes.ts';
import { runLocal } from './local/run.ts';
import { nameOfProgramRow, openProgramGround, programRows } from './programs/row.ts';
import { openGround, rows, type Outcome, type Row } from './row.ts';

const words = process.argv.slice(2);
const atOnce = Number(process.env['AT_ONCE'] ?? 3);
const lanes = Array.from({ length: atOnce }, (_, lane) => lane);
if (words[0] === 'local') process.exit((await runLocal(words.slice(1), atOnce)) ? 0 : 1);

interface Named {
  readonly name: string;
  readonly run: () => Promise<Omit<Outcome, 'log'>>;
}

const nameOf = ({ call, trouble }: Row): string => `${call.operation} × ${trouble.name}`;
const [ground, programs] = await Promise.all([openGround(process.env['ACTION']), openProgramGround()]);
const all: readonly Named[] = [
  ...rows.map((row) => ({ name: nameOf(row), run: () => ground.run(row) })),
  ...programRows.map((row) => ({
    name: `programs: ${nameOfProgramRow(row)}`,
    run: () => programs.run(row),
  })),
];
const wanted = all.filter(({ name }) => words.every((word) => name.includes(word)));
const failed: string[] = [];
await inLanes(wanted, lanes, async ({ name, run }) => {
  const { code, milliseconds, wrong, late } = await run();
  const problems = [...wrong, ...(late ? ['too late'] : [])];
  if (problems.length > 0) failed.push(name);
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`.padStart(7);
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${seconds}  ${code.padEnd(20)} ${name}`);
  for (const problem of problems) console.log(`       ${problem}`);
});
await Promise.all([ground.close(), programs.close()]);

console.log(`\n${wanted.length} rows, ${failed.length} not as promised`);
for (const name of failed) console.log(`  ${name}`);
const isLocalRight = words.length > 0 || (await runLocal([], atOnce));
process.exit(failed.length === 0 && isLocalRight ? 0 : 1);
