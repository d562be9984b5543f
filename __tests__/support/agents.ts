/** Agents for tests: OpenSSH's own, a proxy that records its messages, and fake ones. */
import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageReader } from '../../src/ssh/agent-protocol.ts';

export interface RealAgent {
  readonly socket: string;
  /** A separate folder. */
  readonly folder: string;
  /** Runs a program with this agent in SSH_AUTH_SOCK and returns its output. */
  readonly run: (argv: readonly string[], options?: ExecFileSyncOptions) => string;
  readonly stop: () => void;
}

export function startRealAgent(): RealAgent {
  const folder = mkdtempSync(join(tmpdir(), 'real-agent-'));
  const socket = join(folder, 'agent');
  const started = execFileSync('ssh-agent', ['-s', '-a', socket], { encoding: 'utf8' });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]);
  return {
    socket,
    folder,
    run: ([program = '', ...args], options = {}) => {
      const env = { ...process.env, SSH_AUTH_SOCK: socket };
      return String(execFileSync(program, args, { env, stdio: 'pipe', cwd: folder, ...options }));
    },
    stop: () => {
      process.kill(pid);
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Listener {
  readonly socket: string;
  /** The clients' messages, without the lengths. */
  readonly messages: readonly Buffer[];
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** Passes everything to the agent and back. */
export async function listenInFrontOf(agent: RealAgent, name = 'front'): Promise<Listener> {
  const messages: Buffer[] = [];
  let connections = 0;
  const server = await serve(join(agent.folder, name), (client) => {
    connections++;
    const reader = new MessageReader();
    client.on('data', (chunk: Buffer) => messages.push(...reader.push(Buffer.from(chunk))));
    const behind = createConnection(agent.socket);
    behind.on('error', () => client.destroy());
    client.on('close', () => behind.destroy());
    client.pipe(behind).pipe(client);
  });
  return {
    socket: join(agent.folder, name),
    messages,
    connections: () => connections,
    close: () => close(server),
  };
}

/**
 * A program that replaces ssh-agent and starts in the same way.
 *
 * @param answer JavaScript that runs with `connection` whenever a message arrives
 * @returns a folder for PATH
 */
export function fakeSshAgent(folder: string, answer: string): string {
  const bin = mkdtempSync(join(folder, 'bin-'));
  const script = `const { spawn } = require('node:child_process');
    const [, self, ...args] = process.argv;
    if (process.env.BEHIND) {
      require('node:net').createServer((connection) => {
        connection.on('error', () => {}).on('data', () => { ${answer} });
      }).listen(args.at(-1), () => process.stdout.write('up'));
    } else {
      const stdio = ['ignore', 'pipe', 'ignore'];
      const env = { ...process.env, BEHIND: '1' };
      const child = spawn(process.execPath, [self, ...args], { detached: true, env, stdio });
      child.stdout.once('data', () => { console.log('SSH_AGENT_PID=' + child.pid + ';'); process.exit(0); });
    }`;
  writeFileSync(join(bin, 'ssh-agent'), `#!${process.execPath}\n${script}\n`, { mode: 0o755 });
  return bin;
}

/** @param answer called for each received piece */
export async function serveInstead(
  socket: string,
  answer: (connection: Socket, chunk: Buffer) => void,
): Promise<() => Promise<void>> {
  const server = await serve(socket, (connection) => {
    connection.on('data', (chunk: Buffer) => {
      answer(connection, chunk);
    });
  });
  return () => close(server);
}

const open = new WeakMap<Server, Set<Socket>>();

async function serve(socket: string, greet: (connection: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = createServer((connection) => {
    sockets.add(connection);
    connection.on('error', () => undefined);
    connection.on('close', () => sockets.delete(connection));
    greet(connection);
  });
  open.set(server, sockets);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return server;
}

async function close(server: Server): Promise<void> {
  for (const connection of open.get(server) ?? []) connection.destroy();
  await new Promise((resolve) => server.close(resolve));
}
