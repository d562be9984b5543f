/** Starts and ends OpenSSH's ssh-agent, which holds the keys and removes them after their lifetime. */
import { Failure } from '../errors.ts';
import { endProcesses, seesAnotherFile, type Process } from '../process/process-table.ts';
import { ProgramNotFound } from '../process/program-not-found.ts';
import type { Finished, Run } from '../process/run.ts';

/** Bytes of a socket's path, without the closing NUL, on Linux and on macOS and the BSDs (unix(7), unix(4)). */
const longestSocket = { linux: 107, other: 103 } as const;

export function fitsSocket(path: string): boolean {
  return Buffer.byteLength(path) <= longestPath();
}

/** @throws AGENT_FAILED */
export function requireFit(socket: string): void {
  if (fitsSocket(socket)) return;
  throw new Failure('AGENT_FAILED', `the socket path ${socket} is longer than ${longestPath()} bytes`, {
    hint: 'use a temporary folder with a shorter path: set TMPDIR=/tmp',
  });
}

function longestPath(): number {
  return process.platform === 'linux' ? longestSocket.linux : longestSocket.other;
}

export interface Agent {
  readonly socket: string;
  readonly pid: number;
}

/** An agent that any program has started. */
export type Listening = Pick<Agent, 'socket'>;

export interface AgentOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * Always passes `-a`: OpenSSH 10.1 and newer would otherwise create the socket in the home folder.
 *
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function startAgent(
  socket: string,
  { env, signal, run }: AgentOptions & { readonly run: Run },
): Promise<Agent> {
  requireFit(socket);
  const finished = await found(run(['ssh-agent', '-s', '-a', socket], { env: agentEnv(env), signal }));
  const [, pid] = /SSH_AGENT_PID=(\d+)/.exec(finished.stdout) ?? [];
  if (finished.exitCode !== 0 || pid === undefined) throw agentFailed('ssh-agent did not start', finished);
  return { socket, pid: Number(pid) };
}

/**
 * Ends the agent that listens on the socket, even if nobody noted its process id (the step may have been killed). Never
 * signals another process that has the same process id by now.
 *
 * @returns whether there was an agent
 */
export async function stopAgent(socket: string): Promise<boolean> {
  const isAgent = isAgentAt(socket);
  const isElsewhere = seesAnotherFile(socket);
  return (await endProcesses((process) => isAgent(process) && !isElsewhere(process))).length > 0;
}

/**
 * The socket's folder has a random name, so a process with the socket in its command line is this agent, even if a
 * wrapper started it under another name.
 */
export function isAgentAt(socket: string): (process: Process) => boolean {
  return ({ command }) => `${command} `.includes(` -a ${socket} `);
}

/** The agent outlives the step, and other processes of the user can read its environment. */
export function agentEnv(env: AgentOptions['env']): Record<string, string> {
  // RUNNER_TRACKING_ID lets the runner end the agent if everything else fails.
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'RUNNER_TRACKING_ID'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** @throws AGENT_NOT_FOUND if a program of OpenSSH is missing */
export async function found<T>(running: Promise<T>): Promise<T> {
  try {
    return await running;
  } catch (error) {
    if (!(error instanceof ProgramNotFound)) throw error;
    throw new Failure('AGENT_NOT_FOUND', error.message, {
      hint: "install OpenSSH's client: apt-get install openssh-client, dnf install openssh-clients, or apk add openssh-client",
      cause: error,
    });
  }
}

export function agentFailed(what: string, { exitCode, stderr }: Omit<Finished, 'stdout'>): Failure {
  // A wrapper of ssh-add may repeat secret input.
  const said = stderr
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/[A-Za-z0-9+/=]{40,}/g, '…');
  // dash calls each failed write an I/O error.
  if (/No space left|quota exceeded|I\/O error/i.test(said)) {
    return new Failure('STATE_UNSAFE', `${what}: ${said}`, {
      hint: 'free space on the disk of its socket (df -h, df -i), then run it again',
    });
  }
  return new Failure('AGENT_FAILED', `${what} (exit code ${exitCode}${said ? `: ${said}` : ''})`, {
    hint: 'check the version with ssh -V; OpenSSH 8.4 or newer is needed',
  });
}
