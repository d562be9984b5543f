/** Removes what killed jobs left on this runner: agents, folders and blocks. */
import { lstat, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { toFailure } from '../errors.ts';
import { jobOfCache } from '../git/credential-cache.ts';
import { muted } from '../host/voice.ts';
import { inLanes } from '../in-lanes.ts';
import { abortAfter, anySignal, tookTooLong, withDeadline } from '../deadline.ts';
import { listProcesses } from '../process/process-table.ts';
import { folderOfCommand } from '../ssh/key-folder.ts';
import { blockNames } from '../ssh/user-files.ts';
import type { Env } from './input.ts';
import { isJobFolder, jobFoldersIn, jobFolder, shelteredFile, usesBefore } from './job-folder.ts';
import { readOwnFile } from './own-file.ts';
import type { State } from './state.ts';
import { unloadKeys } from './unload-keys.ts';
import type { Workflow } from './workflow.ts';

export interface Sweeping {
  readonly env: Env;
  readonly workflow: Workflow;
  readonly signal: AbortSignal;
  /** Seconds that the whole step may take. */
  readonly timeoutSeconds: number;
}

/** Seconds. This work runs at the same time as the calls to AWS, which rarely take longer. */
const patience = 10;

/** What other jobs left must not make this job fail or wait for long: the next job tries again. */
export async function sweep(temp: string, { timeoutSeconds, ...sweeping }: Sweeping): Promise<void> {
  const { workflow } = sweeping;
  const seconds = Math.min(patience, timeoutSeconds / 3);
  const reason = tookTooLong('that', Math.round(seconds), 'the next job goes on with it');
  const asking = new AbortController();
  // Requests to daemons get less time, so that time is left to remove agents and folders.
  const timer = abortAfter(600 * seconds, asking, reason);
  const { signal } = sweeping;
  try {
    const problems = await withDeadline({ milliseconds: 1000 * seconds, reason, signal }, (limited) =>
      removeLeftovers(temp, { ...sweeping, signal: anySignal(limited, asking.signal) }),
    );
    for (const problem of problems)
      workflow.warn(`what an earlier job left behind could not be removed: ${problem}`);
  } catch (error) {
    if (signal.aborted) return;
    workflow.warn(`what earlier jobs left behind could not be removed: ${toFailure(error).message}`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Removes only folders with a name of ours, in the RUNNER_TEMP of this runner, that another job left: each job has its own
 * RUNNER_TRACKING_ID. The folder of an earlier use in this job stays, also if a step has set that variable itself, as some do
 * to keep a process alive.
 */
async function removeLeftovers(
  temp: string,
  { env, workflow, signal }: Omit<Sweeping, 'timeoutSeconds'>,
): Promise<string[]> {
  const trackingId = env['RUNNER_TRACKING_ID'];
  if (!trackingId) return [];
  const blocks = await blockNames().catch((): string[] => []);
  const shelters = await findShelters();
  const processes = await listProcesses();
  // The runner empties RUNNER_TEMP between jobs, so an agent, a connection, a shelter or a block may exist without its folder.
  const paths = [
    ...(await readdir(temp)).map((name) => join(temp, name)),
    ...processes.flatMap(({ command }) => jobFoldersIn(command, temp)),
    ...shelters.keys(),
    ...blocks,
  ].filter((path) => dirname(path) === temp && isJobFolder(basename(path)));
  const own = await usesOfJob(temp, env);
  const others = [...new Set(paths)].filter((path) => !own.includes(path));
  const found = await inLanes(others, async (path): Promise<State[]> => {
    const folder = jobFolder(path, shelters.get(path));
    if ((await readOwnFile(folder.owner)) === trackingId) return [];
    const { readNote } = await import('./kept-tokens.ts');
    const noted = await readNote(folder, workflow);
    // The runner may have emptied the folder, and with it the note.
    const tokens = noted.length === 0 ? undefined : noted;
    const { socket } = folder;
    return [{ folder: path, socket, sshConfig: blocks.includes(path), tokens, replaced: {} }];
  });
  const left = found.flat();
  if (left.length === 0) return [];
  for (const { folder } of left) workflow.info(`removing what an earlier job left behind: ${folder}`);
  return await unloadKeys(left, { env, signal, workflow: muted(workflow) });
}

/**
 * By what the steps have: the command and the agent of the latest use, and git's configuration for the tokens of all uses. In
 * a shelter, the agent's folder has the same name.
 */
async function usesOfJob(temp: string, env: Env): Promise<string[]> {
  const agent = env['SSH_AUTH_SOCK'];
  const caches = Object.entries(env).flatMap(([name, value = '']) =>
    name.startsWith('GIT_CONFIG_VALUE_') ? [jobOfCache(value)] : [],
  );
  const given = [folderOfCommand(env['GIT_SSH_COMMAND'] ?? ''), agent && dirname(agent), ...caches];
  const latest = given.flatMap((path) =>
    path && isJobFolder(basename(path)) ? [join(temp, basename(path))] : [],
  );
  return (await Promise.all(latest.map(async (path) => [path, ...(await usesBefore(path))]))).flat();
}

/** Job folder → its socket in a shelter of this user. */
async function findShelters(): Promise<Map<string, string>> {
  const shelters = new Map<string, string>();
  for (const place of new Set([tmpdir(), '/tmp'])) {
    const names = await readdir(place).catch(() => []);
    for (const shelter of names.filter(isJobFolder).map((name) => join(place, name))) {
      const { uid } = await lstat(shelter).catch(() => ({ uid: undefined }));
      if (uid !== process.getuid?.()) continue;
      const folder = await readOwnFile(join(shelter, shelteredFile));
      if (folder !== '') shelters.set(folder, join(shelter, 'agent'));
    }
  }
  return shelters;
}
