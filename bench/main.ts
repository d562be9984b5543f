/**
 * `npm run bench`: measures main as a whole process against a bare program with the same three requests of the AWS SDK,
 * and main with 25 keys against main with one. They take turns, so that the ratios do not depend on the machine's
 * speed. Medians in milliseconds.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { REGION, ROLE_ARN, startReadyWorld } from '../__tests__/support/aws/world.ts';
import { makeSshKey } from '../__tests__/support/ssh-keys.ts';

const runs = Number(process.env['RUNS'] ?? 15);
const many = 25;
const mostGrowth = 1.3;
const root = dirname(import.meta.dirname);
const run = promisify(execFile);

const [world, ...keys] = await Promise.all([
  startReadyWorld(),
  ...Array.from({ length: many }, () => makeSshKey()),
]);
const names = keys.map((_, number) => `/ci/deploy-key-${number}`);
for (const [number, name] of names.entries()) world.put(name, keys[number]?.privateKey ?? '');
const temp = mkdtempSync(join(tmpdir(), 'bench-'));

const env = {
  PATH: process.env['PATH'],
  HOME: temp,
  RUNNER_TEMP: temp,
  ...world.jobEnvironment(),
  INPUT_KEYS: names[0],
  'INPUT_AWS-REGION': REGION,
  'INPUT_ROLE-TO-ASSUME': ROLE_ARN,
  'INPUT_ROLE-DURATION-SECONDS': '900',
  'INPUT_SESSION-POLICY': 'auto',
  'INPUT_STRICT-HOST-KEY-CHECKING': 'yes',
  'INPUT_KEY-LIFETIME': '60s',
  'INPUT_MAX-ATTEMPTS': '5',
  'INPUT_TIMEOUT-SECONDS': '120',
};

type Env = Readonly<Record<string, string | undefined>>;

async function time(script: string, more: Env = {}): Promise<{ milliseconds: number; stdout: string }> {
  const started = performance.now();
  const { stdout } = await run(process.execPath, [join(root, script)], { env: { ...env, ...more } });
  return { milliseconds: performance.now() - started, stdout };
}

/** @param count of the keys, each for another repository */
async function main(count = 1): Promise<number> {
  const lines = names.slice(0, count).map((name, number) => `${name} github.com/acme/lib-${number}`);
  const { milliseconds, stdout } = await time('dist/main/index.js', { INPUT_KEYS: lines.join('\n') });
  const [, pid] = /name=ssh-agent-pid::(\d+)/.exec(stdout) ?? [];
  if (pid === undefined) throw new Error(`main did not start an agent:\n${stdout}`);
  process.kill(Number(pid));
  return milliseconds;
}

async function bare(): Promise<number> {
  return (await time('bench/bare.ts')).milliseconds;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

const rounds: { main: number; many: number; bare: number }[] = [];
await main();
await bare();
for (let i = 0; i < runs; i++)
  rounds.push({ main: await main(), many: await main(many), bare: await bare() });
const medians = {
  main: median(rounds.map((round) => round.main)),
  many: median(rounds.map((round) => round.many)),
  bare: median(rounds.map((round) => round.bare)),
};
const growth = medians.many / medians.main;
console.table({
  main: { median: Math.round(medians.main) },
  [`main with ${many} keys`]: { median: Math.round(medians.many) },
  bare: { median: Math.round(medians.bare) },
  'main / bare': { median: Number(median(rounds.map(({ main, bare }) => main / bare)).toFixed(2)) },
  [`${many} keys / 1`]: { median: Number(growth.toFixed(2)) },
});
if (growth > mostGrowth) {
  console.error(`${many} keys may take ${mostGrowth} times as long as one`);
  process.exitCode = 1;
}
await world.stop();
rmSync(temp, { recursive: true });
