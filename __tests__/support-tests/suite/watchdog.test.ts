import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { processesOf } from '../../support/suite/leftovers.ts';

const watchdog = join(import.meta.dirname, '../../support/suite/watchdog.ts');
/** A process that is not our child when it runs, like an agent. */
const daemon = (folder: string): string => `OF=${folder} setsid sleep 300 >/dev/null 2>&1 &`;

it('a killed run leaves no process and no file, and does not disturb other runs', async () => {
  const [folder, other] = [mkdtempSync(join(tmpdir(), 'a-')), mkdtempSync(join(tmpdir(), 'b-'))];
  // Stands for the run: its end closes the watchdog's standard input.
  const run = spawn('sh', ['-c', `${daemon(folder)} ${daemon(other)} sleep 300`], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const watching = spawn(process.execPath, [watchdog, folder], { stdio: [run.stdout, 'ignore', 'inherit'] });
  const ended = once(watching, 'exit');
  while (processesOf(folder).length < 2 || processesOf(other).length < 1)
    await new Promise((resolve) => setTimeout(resolve, 20));
  process.kill(-(run.pid ?? 0), 'SIGKILL');
  await ended;
  expect([processesOf(folder), existsSync(folder)]).toEqual([[], false]);
  expect(processesOf(other).length).toBeGreaterThan(0);
  for (const { pid } of processesOf(other)) process.kill(pid, 'SIGKILL');
}, 30_000);
