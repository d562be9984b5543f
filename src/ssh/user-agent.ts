/** The agent that ssm-ssh keeps for a user on a host: where its folder may be, and its end. helper/ssm-ssh-host.sh makes it. */
import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listProcesses } from '../process/process-table.ts';
import { stopAgent } from './agent.ts';

export interface User {
  readonly id: number;
  /** Absent: none that is known. */
  readonly home: string | undefined;
  readonly temporary: string;
}

/** The candidates, in the order in which ssm-ssh takes the first that is the user's alone. */
export function stateFolders({ id, home, temporary }: User): string[] {
  const parents = [`/run/user/${id}`, ...(home === undefined ? [] : [join(home, '.cache')]), temporary];
  return parents.map((parent) => join(parent, `ssm-ssh-agent-${id}`));
}

/**
 * Ends every agent of the user, with its keeper, and removes the folders. Another user's is left alone.
 *
 * @returns the folders that were there
 */
export async function flushUser(user: User): Promise<string[]> {
  const flushed: string[] = [];
  for (const state of stateFolders(user)) {
    const there = await lstat(state).catch(() => undefined);
    if (!there?.isDirectory() || there.uid !== user.id) continue;
    for (const folder of [join(state, 'ec2'), state]) {
      await endKeeper(folder);
      await stopAgent(join(folder, 'agent'));
    }
    await rm(state, { recursive: true, force: true });
    flushed.push(state);
  }
  return flushed;
}

/** By the number that it has noted, where that is still its own. */
async function endKeeper(state: string): Promise<void> {
  const pid = Number(await readFile(join(state, 'keeper'), 'utf8').catch(() => ''));
  const isKeeper = async (): Promise<boolean> =>
    (await listProcesses()).some((running) => running.pid === pid && running.command.endsWith(` ${state}`));
  if (!(pid > 1) || !(await isKeeper())) return;
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; waited < 2000 && (await isKeeper()); waited += 20) await sleep(20);
}

/** There is a new key, whose mark its keeper takes away in time. */
export async function tellKeeper(state: string): Promise<void> {
  const keeper = Number(await readFile(join(state, 'keeper'), 'utf8').catch(() => ''));
  try {
    if (keeper > 1) process.kill(keeper, 'SIGUSR1');
  } catch {
    // It is no more, and its agent ends with it.
  }
}
