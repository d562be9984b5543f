/**
 * `node watchdog.ts FOLDER`: waits for the end of its standard input, then kills all processes with the folder in their
 * arguments or environment, and removes it. So nothing outlives a test run, even if the run is killed.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { killAll } from '../runner/process-table.ts';
import { processesOf } from './leftovers.ts';

const [folder = ''] = process.argv.slice(2);
await once(process.stdin.resume(), 'end');
// A process may start another one while it is killed.
for (let calm = 0; calm < 3;) {
  const left = processesOf(folder);
  killAll(left);
  calm = left.length === 0 ? calm + 1 : 0;
  await sleep(20);
}
rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
