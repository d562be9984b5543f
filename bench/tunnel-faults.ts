/**
 * `npm run test:tunnel -- [RUNS] [BYTES]`: carries bytes both ways through Session Manager's tunnel, under each fault of
 * the local AWS, and under all of them together, with other seeds in each run. With `--programs` by ssm-ssh, ssh and
 * a real sshd. Lists the failed runs and exits with 1 if there are any.
 */
import { parseArgs } from 'node:util';
import {
  startTransferWorld,
  transfer,
  troublesFor,
  type Transfer,
  type TransferOutcome,
} from '../__tests__/ec2/session-manager/transfer.ts';
import type { LocalAws } from '../__tests__/support/aws/local-aws.ts';
import { inLanes } from '../__tests__/support/in-lanes.ts';
import { startProgramWorld, transferByPrograms } from './tunnel-programs.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { programs: { type: 'boolean', default: false } },
});
const [runs = 20, size = 2_000_000] = positionals.map(Number);
/** Milliseconds for one transfer. */
const patience = 120_000;

type Carry = (work: Transfer) => Promise<TransferOutcome>;

interface Result {
  readonly name: string;
  readonly seed: number;
  readonly outcome: TransferOutcome | undefined;
  /** What failed; undefined if nothing did. */
  readonly failure: string | undefined;
}

/** What carries bytes, one transfer at a time each. */
async function start(): Promise<{ aws: LocalAws; lanes: readonly Carry[]; stop: () => Promise<void> }> {
  if (values.programs) {
    const { world, pairs, stop } = await startProgramWorld(2);
    return {
      aws: world.aws,
      lanes: pairs.map((pair) => (work) => transferByPrograms(world, pair, work)),
      stop,
    };
  }
  const world = await startTransferWorld();
  const carry: Carry = (work) => transfer(world, work);
  return { aws: world.aws, lanes: [carry, carry, carry], stop: world.stop };
}

const { aws, lanes, stop } = await start();

async function run(name: string, work: Transfer & { readonly seed: number }, carry: Carry): Promise<Result> {
  const { seed } = work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not done in ${patience / 1000} s`));
    }, patience);
  });
  try {
    const outcome = await Promise.race([carry(work), late]);
    return { name, seed, outcome, failure: failureOf(outcome) };
  } catch (error) {
    return { name, seed, outcome: undefined, failure: String(error) };
  } finally {
    clearTimeout(timer);
  }
}

function failureOf({ right, violations, ended }: TransferOutcome): string | undefined {
  const wrong = [
    ...(right.up ? [] : ['wrong bytes at the host']),
    ...(right.down ? [] : ['wrong bytes at the client']),
    ...(ended ? [] : ['a session was left']),
    ...violations,
  ];
  return wrong.length === 0 ? undefined : wrong.slice(0, 3).join('; ');
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[values.length >> 1] ?? NaN;

const kinds = Object.entries(troublesFor(size));
const results: Result[] = [];
// One kind after the other: too much load on the processor would break runs with short time limits.
for (const [name, trouble] of kinds) {
  const works = Array.from({ length: runs }, (_, place) => ({ trouble, size, seed: place + 1 }));
  results.push(...(await inLanes(works, lanes, (work, carry) => run(name, work, carry))));
}
const rows = kinds.map(([name]) => {
  const mine = results.filter((result) => result.name === name);
  const outcomes = mine.flatMap(({ outcome }) => outcome ?? []);
  const row = {
    runs: mine.length,
    failed: mine.filter(({ failure }) => failure !== undefined).length,
    'median s': Number((median(outcomes.map(({ milliseconds }) => milliseconds)) / 1000).toFixed(1)),
    'longest s': Number((Math.max(...outcomes.map(({ milliseconds }) => milliseconds)) / 1000).toFixed(1)),
    sockets: outcomes.reduce((sum, { sockets }) => sum + sockets, 0),
  };
  return [name, row] as const;
});
console.table(Object.fromEntries(rows));
for (const { name, seed, failure } of results) {
  if (failure !== undefined) console.log(`${name}, seed ${seed}: ${failure}`);
}
console.log(`sessions left: ${aws.sessions.open.length}`);
process.exitCode =
  results.some(({ failure }) => failure !== undefined) || aws.sessions.open.length > 0 ? 1 : 0;
await stop();
