/** OpenSSH's ssh-agent, the vault that holds the keys and the clock that forgets them: its start and its end. */
import { Failure } from '../errors.ts';
import { endProcesses, type Process } from '../process/process-table.ts';
import { ProgramNotFound, type Finished, type Run } from '../process/run.ts';

/** `sun_path` with its closing NUL, minus that NUL: 107 bytes on Linux, 103 on macOS and the BSDs (unix(7), unix(4)). */
const longestSocket = { linux: 107, other: 103 } as const;

export function fitsSocket(path: string): boolean {
  return Buffer.byteLength(path) <= longestPath();
}

/** @throws AGENT_FAILED */
export function requireFit(socket: string): void {
  if (fitsSocket(socket)) return;
  throw new Failure('AGENT_FAILED', `the socket path ${socket} is longer than ${longestPath()} bytes`, {
    hint: 'give the temporary folder a shorter path: set TMPDIR=/tmp',
  });
}

function longestPath(): number {
  return process.platform === 'linux' ? longestSocket.linux : longestSocket.other;
}

export interface Agent {
  readonly socket: string;
  readonly pid: number;
}

/** An agent, whoever started it. */
export type Listening = Pick<Agent, 'socket'>;

export interface AgentOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * `-a` always: OpenSSH 10.1 and newer would put the socket into the home folder.
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
 * Ends the agent that listens on the socket, whether or not anyone noted its process id: one that was started by a step
 * that died at once is found as well, and a number that another process has by now is never signalled.
 *
 * @returns whether an agent was there
 */
export async function stopAgent(socket: string): Promise<boolean> {
  return (await endProcesses(isAgentAt(socket))).length > 0;
}

/** The socket's folder has a random name: whoever was started with it is ours, by whatever name a wrapper runs it. */
export function isAgentAt(socket: string): (process: Process) => boolean {
  return ({ command }) => `${command} `.includes(` -a ${socket} `);
}

/** The agent outlives the step, and would show the step's environment to every process of the user for as long. */
export function agentEnv(env: AgentOptions['env']): Record<string, string> {
  // By RUNNER_TRACKING_ID the runner finds the agent, should all else fail.
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'RUNNER_TRACKING_ID'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** @throws AGENT_NOT_FOUND where a program of OpenSSH is missing */
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
  // A wrapper of ssh-add might repeat what it was given.
  const said = stderr
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/[A-Za-z0-9+/=]{40,}/g, '…');
  if (/No space left|quota exceeded/i.test(said)) {
    return new Failure('STATE_UNSAFE', `${what}: ${said}`, {
      hint: 'make room on the disk that its socket is on (df -h, df -i), then run it again',
    });
  }
  return new Failure('AGENT_FAILED', `${what} (exit code ${exitCode}${said ? `: ${said}` : ''})`, {
    hint: 'run ssh -V there to see which OpenSSH this is; 8.4 or newer is needed',
  });
}
