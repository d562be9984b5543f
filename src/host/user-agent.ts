/** Starts and ends the agent of a user on a host. */
import { link, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../deadline.ts';
import { Failure } from '../errors.ts';
import { startDetached, type Detached } from '../process/detached.ts';
import { unanswered } from '../process/in-time.ts';
import { listProcesses } from '../process/process-table.ts';
import { removeFolder } from '../process/remove-folder.ts';
import { heldKeys } from '../ssh/agent-keys.ts';
import { agentFailed, found, stopAgent, type AgentOptions } from '../ssh/agent.ts';
import { stateFolders, unwritable, type User } from './state-folder.ts';

export interface EnsureOptions extends AgentOptions {
  /** The folder of the shell scripts. */
  readonly helper: string;
  /** Time limit for the agent's answer. */
  readonly seconds: number;
}

/** Another process may start an agent at the same moment. Then the next try finds that agent. */
const mostTries = 5;

/**
 * Ensures that an agent of this user answers on the socket `agent` in the folder, and stays for at least a minute. The
 * agent runs in a session of its own, without the environment of the job or login that started it. Its parent is its
 * keeper (helper/ssm-ssh-keeper.sh), which ends it.
 *
 * @throws STATE_UNSAFE, AGENT_NOT_FOUND, AGENT_FAILED, TIMEOUT
 */
export async function ensureAgent(folder: string, options: EnsureOptions): Promise<void> {
  const socket = join(folder, 'agent');
  try {
    await mkdir(join(folder, 'keys'), { recursive: true, mode: 0o700 });
    // The keeper waits a minute for the first key after this file's time.
    await writeFile(join(folder, 'reserved'), '', { mode: 0o600 });
  } catch (error) {
    throw unwritable(folder, error);
  }
  for (let tries = 1; !(await answers(socket, options)); tries++) {
    await removeStaleSocket(socket, options);
    await removeMarks(folder);
    const started = await start(folder, options);
    if (started.firstLine === 'up') return;
    if (tries === mostTries) throw agentFailed(`ssh-agent did not start on ${socket}`, started);
    await sleep(10 * tries);
  }
}

async function start(
  folder: string,
  { helper, env: { PATH = '', HOME = '/' }, seconds, signal }: EnsureOptions,
): Promise<Detached> {
  const keeper = ['/bin/sh', join(helper, 'ssm-ssh-keeper.sh'), folder];
  const argv = ['ssh-agent', '-a', join(folder, 'agent'), ...keeper] as const;
  const limit = { milliseconds: seconds * 1000, reason: unanswered('ssh-agent', seconds), signal };
  return await found(
    withDeadline(limit, (both) => startDetached(argv, { env: { PATH, HOME }, signal: both })),
  );
}

async function answers(
  socket: string,
  { seconds, signal }: Pick<EnsureOptions, 'seconds' | 'signal'>,
): Promise<boolean> {
  const milliseconds = seconds * 1000;
  const said = `the agent on ${socket} has not answered within ${seconds} seconds`;
  const reason = new Failure('TIMEOUT', said, {
    hint: 'run ssm-ssh-agent flush, which ends the agent; its keys are then read again',
  });
  try {
    await withDeadline({ milliseconds, reason, signal }, (both) =>
      heldKeys({ socket }, { signal: both, patience: milliseconds + 1000 }),
    );
    return true;
  } catch (error) {
    if (signal.aborted || error === reason) throw error;
    return false;
  }
}

/**
 * Removes a socket on which nobody listens: it prevents the start of an agent. If another process has replaced the
 * socket meanwhile, it is put back.
 */
async function removeStaleSocket(socket: string, options: EnsureOptions): Promise<void> {
  const aside = join(socket, `../a.${process.pid}`);
  try {
    await rename(socket, aside);
  } catch {
    return;
  }
  if (await answers(aside, options)) await link(aside, socket).catch(() => undefined);
  await rm(aside, { force: true });
}

/**
 * Removes the marks of an agent that has ended, and folders that were not written for a day: credentials that change
 * hourly create a new name each time.
 */
async function removeMarks(folder: string): Promise<void> {
  for (const [parent, file] of [
    ['keys', 'fingerprint'],
    ['asked', 'outcome'],
  ] as const) {
    const names = await readdir(join(folder, parent)).catch(() => []);
    for (const name of names) {
      const place = join(folder, parent, name);
      const written = await stat(join(place, file)).catch(() => undefined);
      const isOld = written !== undefined && Date.now() - written.mtimeMs > day;
      // Another login may use the folder at this moment: then it is not old.
      if (isOld) await rm(place, { recursive: true, force: true }).catch(() => undefined);
      else await rm(join(place, 'live'), { recursive: true, force: true });
    }
  }
}

const day = 86_400_000;

/**
 * Ends every agent of the user, with its keeper, and removes the folders. Agents of other users are not touched.
 *
 * @returns the removed folders
 * @throws STATE_UNSAFE
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
    for (const folder of await frontFolders(state)) await stopAgent(join(folder, 'agent'));
    await removeFolder(state).catch((cause: unknown) => {
      throw notRemoved(state, cause);
    });
    flushed.push(state);
  }
  return flushed;
}

function notRemoved(state: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : '';
  return new Failure('STATE_UNSAFE', `${state} cannot be removed (${why})`, {
    hint: 'its agents have ended; run ssm-ssh-agent flush again when no login is being made, or remove it by hand',
    cause,
  });
}

/** The folders of the agents in front. Each one has the sockets `agent` and `control`. */
export async function frontFolders(state: string): Promise<string[]> {
  const names: readonly string[] = await readdir(join(state, 'kms')).catch(() => []);
  return names.map((name) => join(state, 'kms', name));
}

/** Checks that the noted process id still belongs to the keeper. */
async function endKeeper(state: string): Promise<void> {
  const pid = Number(await readFile(join(state, 'keeper'), 'utf8').catch(() => ''));
  const isKeeper = async (): Promise<boolean> =>
    (await listProcesses()).some((running) => running.pid === pid && running.command.endsWith(` ${state}`));
  if (!(pid > 1) || !(await isKeeper())) return;
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; waited < 2000 && (await isKeeper()); waited += 20) await sleep(20);
}
