/**
 * `npm run bench`: main as a whole process against a bare program that makes the same three requests with the AWS SDK.
 * The two take turns, so that the ratio holds where the machine's speed does not. Milliseconds, medians.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { REGION, ROLE_ARN, startReadyWorld } from '../__tests__/support/aws/world.ts';
import { makeSshKey } from '../__tests__/support/ssh-keys.ts';

const runs = 15;
const root = dirname(import.meta.dirname);
const run = promisify(execFile);

const [world, key] = await Promise.all([startReadyWorld(), makeSshKey()]);
world.put('/ci/deploy-key', key.privateKey);
const temp = mkdtempSync(join(tmpdir(), 'bench-'));

const env = {
  PATH: process.env['PATH'],
  HOME: temp,
  RUNNER_TEMP: temp,
  ...world.jobEnvironment(),
  INPUT_KEYS: '/ci/deploy-key',
  'INPUT_AWS-REGION': REGION,
  'INPUT_ROLE-TO-ASSUME': ROLE_ARN,
  'INPUT_ROLE-DURATION-SECONDS': '900',
  'INPUT_SESSION-POLICY': 'auto',
  'INPUT_STRICT-HOST-KEY-CHECKING': 'yes',
  'INPUT_KEY-LIFETIME': '60s',
  'INPUT_MAX-ATTEMPTS': '5',
  'INPUT_TIMEOUT-SECONDS': '120',
};

async function time(script: string): Promise<{ milliseconds: number; stdout: string }> {
  const started = performance.now();
  const { stdout } = await run(process.execPath, [join(root, script)], { env });
  return { milliseconds: performance.now() - started, stdout };
}

async function main(): Promise<number> {
  const { milliseconds, stdout } = await time('dist/main/index.js');
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

const pairs: { main: number; bare: number }[] = [];
await main();
await bare();
for (let i = 0; i < runs; i++) pairs.push({ main: await main(), bare: await bare() });
console.table({
  main: { median: Math.round(median(pairs.map((pair) => pair.main))) },
  bare: { median: Math.round(median(pairs.map((pair) => pair.bare))) },
  'main / bare': { median: Number(median(pairs.map((pair) => pair.main / pair.bare)).toFixed(2)) },
});
await world.stop();
rmSync(temp, { recursive: true });
