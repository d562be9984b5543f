/** An agent in front for tests, in this process, with OpenSSH's agent behind it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFront, type Front, type FrontOptions } from '../../src/kms/front/front.ts';
import type { FrontIdentity, KnownHost, Limits } from '../../src/kms/front/identity.ts';
import { ask } from '../../src/ssh/agent-connection.ts';
import { hostKeysFor, revokedKeysFor } from '../../src/ssh/host-keys.ts';
import { startRealAgent, type RealAgent } from './agents.ts';
import type { MemorySigner } from './memory-signer.ts';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

export interface TestFront extends Front {
  readonly folder: string;
  readonly socket: string;
  readonly control: string;
  readonly back: RealAgent;
  /** Runs a program with this agent in SSH_AUTH_SOCK. Not synchronously: this process is the agent. */
  readonly run: (argv: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** The standard output of a program that has to succeed. */
  readonly output: (argv: readonly string[], options?: RunOptions) => Promise<string>;
  readonly stop: () => Promise<void>;
}

export async function startTestFront(options: Partial<FrontOptions> = {}): Promise<TestFront> {
  const back = startRealAgent();
  const folder = mkdtempSync(join(tmpdir(), 'front-'));
  const [socket, control] = [join(folder, 'agent'), join(folder, 'control')];
  const front = await startFront({ socket, control, back: back.socket, ...options });
  const run = (argv: readonly string[], { env, ...more }: RunOptions = {}): Promise<Ran> =>
    runProgram(argv, { cwd: folder, ...more, env: { SSH_AUTH_SOCK: socket, ...env } });
  return {
    ...front,
    folder,
    socket,
    control,
    back,
    run,
    output: async (argv, how) => {
      const { code, stdout, stderr } = await run(argv, how);
      if (code !== 0) throw new Error(`${argv.join(' ')}: ${code}: ${stdout}${stderr}`);
      return stdout;
    },
    stop: async () => {
      await front.end();
      rmSync(folder, { recursive: true });
      back.stop();
    },
  };
}

export async function runProgram(argv: readonly string[], { env, input, cwd }: RunOptions): Promise<Ran> {
  const [program = '', ...args] = argv;
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout, stderr });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}

/** An identity without limits and without hosts. */
export function identityFor(
  signer: MemorySigner,
  limits: Partial<Limits> = {},
  comment = 'kms:alias/test',
): FrontIdentity {
  const usual: Limits = {
    lifetime: 0,
    unbound: 'refuse',
    forwarding: 'refuse',
    hosts: () => Promise.resolve([]),
  };
  return { signer, blobs: [signer.publicKey.blob], comment, limits: { ...usual, ...limits } };
}

/** The hosts of these names, as the front reads known_hosts. */
export function hostsIn(knownHosts: string, ...names: readonly string[]): KnownHost[] {
  return names.map((host) => ({
    host,
    keys: hostKeysFor(host, knownHosts),
    revoked: revokedKeysFor(host, knownHosts),
  }));
}

/** One answer for each message, over one connection. */
export async function askFrontSocket(socket: string, ...messages: readonly Buffer[]): Promise<Buffer[]> {
  const copies = messages.map((message) => Buffer.from(message));
  return await ask(socket, copies, { signal: AbortSignal.timeout(60_000), patience: 60_000 });
}

/** A connection for clients that misbehave. */
export async function connectTo(socket: string): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const connection = createConnection({ path: socket, allowHalfOpen: true });
    connection.once('error', reject);
    connection.once('connect', () => {
      connection.off('error', reject);
      connection.on('error', () => undefined);
      resolve(connection);
    });
  });
}
