/** Runs after the last test: reports processes that are still alive. The watchdog ends them. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { processesOf } from './leftovers.ts';
import { suiteRun } from './run.ts';

/** Milliseconds for processes that a test has already ended. */
const PATIENCE = 5000;

export default async function tearDown(): Promise<void> {
  const run = suiteRun.current;
  if (run === undefined) return;
  const { folder, watchdog, tmpdir } = run;
  const programs = (): string[] =>
    processesOf(folder)
      .filter(({ pid, command }) => pid !== watchdog.pid && !command.includes('jest-worker'))
      .map(({ pid, command }) => `${pid} ${command}`);
  let left = programs();
  for (let waited = 0; waited < PATIENCE && left.length > 0; waited += 100) {
    await sleep(100);
    left = programs();
  }
  if (tmpdir === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = tmpdir;
  watchdog.ref();
  const ended = once(watchdog, 'exit');
  watchdog.stdin?.end();
  await ended;
  if (left.length > 0) throw new Error(`the tests left these processes behind:\n${left.join('\n')}`);
}
