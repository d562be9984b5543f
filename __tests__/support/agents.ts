/** Agents for tests: OpenSSH's own, one in front of it that listens in, and some that are none. */
import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageReader } from '../../src/ssh/agent-protocol.ts';

export interface RealAgent {
  readonly socket: string;
  /** A folder of its own. */
  readonly folder: string;
  /** What a program prints that finds the agent by SSH_AUTH_SOCK. */
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
  /** What clients sent, without the lengths. */
  readonly messages: readonly Buffer[];
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** Hands everything on to the agent, and back. */
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

/** @param answer what it does with each piece that it is sent */
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
