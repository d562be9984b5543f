/**
 * `npm run test:faults`: every call of main with every fault, and then every local step with every local trouble. `npm run
 * test:faults -- sts drip` runs the rows with these words in their names, `npm run test:faults -- local post` the local
 * ones. AT_ONCE sets how many run in parallel, ACTION the folder of the action.
 */
import { runLocal } from './local/run.ts';
import { openGround, rows, type Outcome, type Row } from './row.ts';

const words = process.argv.slice(2);
const nameOf = ({ call, trouble }: Row): string => `${call.operation} × ${trouble.name}`;
const wanted = rows.filter((row) => words.every((word) => nameOf(row).includes(word)));
const atOnce = Number(process.env['AT_ONCE'] ?? 3);
if (words[0] === 'local') process.exit((await runLocal(words.slice(1), atOnce)) ? 0 : 1);

const ground = await openGround(process.env['ACTION']);
const outcomes = new Map<Row, Outcome>();
const waiting = [...wanted];
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let row = waiting.shift(); row; row = waiting.shift()) {
      const outcome = await ground.run(row);
      outcomes.set(row, outcome);
      console.log(lineOf(row, outcome));
    }
  }),
);
await ground.close();

function problemsOf({ wrong, late }: Outcome): string[] {
  return [...wrong, ...(late ? ['too late'] : [])];
}

function lineOf(row: Row, outcome: Outcome): string {
  const { code, milliseconds } = outcome;
  const problems = problemsOf(outcome);
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`.padStart(7);
  const line = `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${seconds}  ${code.padEnd(20)} ${nameOf(row)}`;
  return [line, ...problems.map((problem) => `       ${problem}`)].join('\n');
}

const failed = wanted.filter((row) => {
  const outcome = outcomes.get(row);
  return outcome === undefined || problemsOf(outcome).length > 0;
});
console.log(`\n${String(wanted.length)} rows, ${String(failed.length)} not as promised`);
for (const row of failed) console.log(`  ${nameOf(row)}`);
const isLocalRight = words.length > 0 || (await runLocal([], atOnce));
process.exit(failed.length === 0 && isLocalRight ? 0 : 1);
