/** Checks the folder of this user's agent, the agent, and the agent of the session. It writes nothing. */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { inspectStateFolders, remedyFor, type FolderReport, type User } from '../../src/host/state-folder.ts';
import { userId } from '../../src/process/account.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { heldKeys } from '../../src/ssh/agent-keys.ts';
import { fail, ok, warn, type Finding } from './finding.ts';
import { asRoot } from './install-command.ts';

export interface AgentCheck {
  readonly user: User;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Our ssm-ssh-agent, as a word of sh. */
  readonly agent: string;
  readonly signal: AbortSignal;
}

/** Milliseconds for the answer of an agent. */
const patience = 2_000;

export async function checkAgents(options: AgentCheck): Promise<Finding[]> {
  const folders = await inspectStateFolders(options.user);
  const used =
    folders.find(({ hasAgent }) => hasAgent) ?? folders.find(({ problem }) => problem === undefined);
  return [stateFinding(used, folders), await ownAgent(used, options), await callersAgent(options)];
}

function stateFinding(used: FolderReport | undefined, folders: readonly FolderReport[]): Finding {
  const name = 'state folder';
  const reasonsOf = (some: readonly FolderReport[]): string =>
    some.map(({ folder, problem = '' }) => `${folder}: ${problem}`).join('; ');
  const remedy = removal(folders);
  if (!used) {
    const detail = `STATE_UNSAFE: no folder for the agent belongs only to this user: ${reasonsOf(folders)}`;
    const paths = folders.map(({ folder }) => folder);
    const problems = folders.map(({ problem = '' }) => problem);
    return fail(name, detail, remedy ?? remedyFor(paths, problems));
  }
  if (used.isOpen) {
    return warn(name, `others can enter ${used.folder}`, `chmod 700 ${quoteForShell(used.folder)}`);
  }
  const there = `${used.folder}, ${used.isThere ? 'there' : 'made when it is needed'}`;
  const refused = folders.filter(({ isThere, problem }) => isThere && problem !== undefined);
  const detail = refused.length === 0 ? there : `${there}; not used: ${reasonsOf(refused)}`;
  return remedy === undefined ? ok(name, detail) : warn(name, detail, remedy);
}

/** Nothing in a spoiled one is needed: keys are read again. Another machine's folder has the agent of that machine. */
function removal(folders: readonly FolderReport[]): string | undefined {
  const spoiled = folders.filter(({ isSpoiled }) => isSpoiled).map(({ folder }) => folder);
  if (spoiled.length === 0) return undefined;
  const remove = `rm -rf ${spoiled.map(quoteForShell).join(' ')}`;
  // Of another user, only root may remove it.
  return spoiled.every(isOwn) ? remove : asRoot(remove);
}

async function ownAgent(used: FolderReport | undefined, options: AgentCheck): Promise<Finding> {
  const name = 'agent';
  if (used?.hasAgent !== true) return ok(name, 'none is running: the next connection starts it');
  const socket = join(used.folder, 'agent');
  // Only an agent for EC2 hosts may be there.
  if (!existsSync(socket)) return ok(name, `the agent for EC2 hosts is in ${join(used.folder, 'ec2')}`);
  const held = await keysAt(socket, options);
  if (typeof held === 'number') return ok(name, `${socket} answers and holds ${keysText(held)}`);
  return warn(name, `${held.code}: ${held.message}`, `${options.agent} flush`);
}

async function callersAgent(options: AgentCheck): Promise<Finding> {
  const name = 'SSH_AUTH_SOCK';
  const socket = options.env['SSH_AUTH_SOCK'] ?? '';
  if (socket === '') return ok(name, 'not set: ssh has only the keys that ssm-ssh offers');
  const held = await keysAt(socket, options);
  if (typeof held === 'number') return ok(name, `${socket} answers and holds ${keysText(held)}`);
  const remedy = 'unset SSH_AUTH_SOCK';
  return warn(name, `${held.code}: ${held.message}`, remedy);
}

async function keysAt(socket: string, { signal }: AgentCheck): Promise<number | Failure> {
  try {
    return (await heldKeys({ socket }, { signal, patience })).length;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) return error;
    throw error;
  }
}

function isOwn(folder: string): boolean {
  return lstatSync(folder, { throwIfNoEntry: false })?.uid === userId();
}

function keysText(count: number): string {
  return count === 1 ? '1 key' : `${count} keys`;
}
