/** OpenSSH's ssh-agent: the vault that holds the keys, and the clock that forgets them. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import type { PrivateKey } from '../keys/private-key.ts';
import { endProcesses, listProcesses, type Process } from '../process/process-table.ts';
import { ProgramNotFound, run, type Finished } from '../process/run.ts';

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
export async function startAgent(socket: string, { env, signal }: AgentOptions): Promise<Agent> {
  requireFit(socket);
  const finished = await found(run(['ssh-agent', '-s', '-a', socket], { env: agentEnv(env), signal }));
  const [, pid] = /SSH_AGENT_PID=(\d+)/.exec(finished.stdout) ?? [];
  if (finished.exitCode !== 0 || pid === undefined) throw agentFailed('ssh-agent did not start', finished);
  return { socket, pid: Number(pid) };
}

/**
 * Asks for the list of keys, as the least that an agent can be asked.
 *
 * @throws AGENT_NOT_FOUND where nothing answers on the socket
 */
export async function requireAgent(socket: string, { env, signal }: AgentOptions): Promise<void> {
  const within = { env: { ...agentEnv(env), SSH_AUTH_SOCK: socket }, signal };
  const { exitCode } = await found(run(['ssh-add', '-l'], within));
  // 1 is an agent without keys (ssh-add(1), EXIT STATUS).
  if (exitCode < 2) return;
  throw new Failure(
    'AGENT_NOT_FOUND',
    `no ssh-agent answers at SSH_AUTH_SOCK, ${socket || 'which is not set'}`,
    {
      hint: 'start one that gets the keys at once: eval "$(ssm-ssh-agent add --agent REF)"',
    },
  );
}

export interface AddOptions extends AgentOptions {
  /** How messages call the key. */
  readonly resource: string;
  /** Seconds until the agent forgets the key; 0 for no limit. */
  readonly lifetime: number;
  /** Host names as known_hosts has them; empty for no restriction. */
  readonly hosts: readonly string[];
  /** The file with their keys. */
  readonly knownHosts: string;
  /** The certificate's line, and a folder of ours where it may lie for a moment. */
  readonly certificate?: { readonly line: string; readonly folder: string } | undefined;
}

/**
 * The key's text goes through one pipe.
 *
 * @throws KEY_UNSUPPORTED, KEY_MALFORMED, KNOWN_HOSTS_INVALID, AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function addKey(agent: Listening, key: PrivateKey, options: AddOptions): Promise<void> {
  const { env, signal, lifetime, hosts, knownHosts, certificate } = options;
  const limit = lifetime > 0 ? ['-t', String(lifetime)] : [];
  const only = hosts.length > 0 ? ['-H', knownHosts, ...hosts.flatMap((host) => ['-h', host])] : [];
  // Without -k, a certificate that lies in the working directory would be taken along.
  const alone = certificate ? [] : ['-k'];
  const within = { env: { ...agentEnv(env), SSH_AUTH_SOCK: agent.socket }, signal };
  const adding = { ...within, input: key.text, cwd: certificate?.folder };
  const add = (): Promise<Finished> => run(['ssh-add', '-q', ...alone, ...limit, ...only, '-'], adding);
  const finished = await found(certificate ? withCertificate(certificate, add) : add());
  if (finished.exitCode !== 0) throw refused(finished, options);
  if (!certificate) return;
  const { stdout } = await found(run(['ssh-add', '-L'], within));
  const [, blob = ''] = certificate.line.split(' ');
  if (!stdout.includes(blob)) {
    throw agentFailed(`ssh-add did not load the certificate of ${options.resource}`, finished);
  }
}

/** Forgets a key by its public half. One that the agent does not have is forgotten already. */
export async function removeKey(
  { socket }: Listening,
  { env, signal, publicKey }: AgentOptions & { readonly publicKey: string },
): Promise<void> {
  const within = { env: { ...agentEnv(env), SSH_AUTH_SOCK: socket }, signal };
  await found(run(['ssh-add', '-q', '-d', '-'], { ...within, input: `${publicKey}\n` }));
}

/** ssh-add looks for a certificate beside the key's file, and calls standard input `(stdin)` (ssh-add.c, add_file). */
async function withCertificate<T>(
  { line, folder }: { readonly line: string; readonly folder: string },
  add: () => Promise<T>,
): Promise<T> {
  const path = join(folder, '(stdin)-cert.pub');
  await writeFile(path, `${line}\n`, { flag: 'wx', mode: 0o600 });
  try {
    return await add();
  } finally {
    await rm(path, { force: true });
  }
}

function refused(finished: Finished, { resource, hosts }: AddOptions): Failure {
  const { stderr } = finished;
  const [, unknown] = /No host keys found for destination "([^"]*)"/.exec(stderr) ?? [];
  if (unknown !== undefined) {
    return new Failure(
      'KNOWN_HOSTS_INVALID',
      `no key is known for the host ${unknown}, to which ${resource} is restricted`,
      {
        hint: 'add its line to known-hosts (ssh-keyscan prints it; compare the fingerprint), or leave restrict-to-hosts out',
      },
    );
  }
  if (hosts.length > 0 && /(illegal|unknown) option|refused operation/.test(stderr)) {
    return new Failure('AGENT_FAILED', `this OpenSSH cannot restrict ${resource} to hosts`, {
      hint: 'install OpenSSH 8.9 or newer, or leave restrict-to-hosts out',
    });
  }
  if (stderr.includes('Invalid key length')) {
    return new Failure('KEY_UNSUPPORTED', `the RSA key in ${resource} is too short for OpenSSH`, {
      hint: 'make an Ed25519 key instead: ssh-keygen -t ed25519 -N "" -f FILE',
    });
  }
  if (/invalid format|error in libcrypto|incorrect passphrase/.test(stderr)) {
    return new Failure('KEY_MALFORMED', `ssh-add cannot read the private key in ${resource}`, {
      hint: 'check it where it was made: ssh-keygen -y -f FILE; then store it again',
    });
  }
  return agentFailed(`ssh-add did not load the key in ${resource}`, finished);
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

/**
 * The agent outlives the step, and would show the step's environment to every process of the user for as long. Without
 * SSH_ASKPASS and DISPLAY nothing can be prompted for either.
 */
export function agentEnv(env: AgentOptions['env']): Record<string, string> {
  // By RUNNER_TRACKING_ID the runner finds the agent, should all else fail.
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'RUNNER_TRACKING_ID'];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** The sockets that running processes were started with by `-a`, as startAgent does. */
export async function agentSockets(): Promise<string[]> {
  const processes = await listProcesses();
  return processes.flatMap(({ command }) => / -a (\/.*\/agent)( |$)/.exec(command)?.[1] ?? []);
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
