/** Unix sockets in a folder that only this user can enter. */
import { chmod, lstat, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { Failure } from '../../errors.ts';
import { userId } from '../../process/account.ts';
import { quoteForShell } from '../../process/quote.ts';
import { requireFit } from '../../ssh/agent.ts';
import { isProtected } from '../../ssh/own-path.ts';

/**
 * The folder is the only protection: Node cannot ask which user is at the other end of a socket, and OpenSSH's agent
 * behind only sees us.
 *
 * @throws STATE_UNSAFE, AGENT_FAILED
 */
export async function requireOwnFolder(sockets: readonly string[]): Promise<void> {
  for (const socket of sockets) {
    requireFit(socket);
    const folder = dirname(socket);
    const problem = await problemOf(folder);
    if (problem === undefined) continue;
    throw new Failure('STATE_UNSAFE', `the folder ${folder} of the agent's socket ${problem}`, {
      hint: `use a folder that is yours alone: chmod 700 ${quoteForShell(folder)}, and check the owners of its parent folders`,
    });
  }
}

async function problemOf(folder: string): Promise<string | undefined> {
  const there = await lstat(folder).catch(() => undefined);
  if (!there?.isDirectory()) return 'is missing, or is not a folder';
  if (there.uid !== userId()) return 'belongs to another user';
  if ((there.mode & 0o077) !== 0) return 'is open to other users';
  return isProtected(folder) ? undefined : 'can be replaced by other users';
}

/**
 * Takes over the socket of an agent that was killed.
 *
 * @throws AGENT_FAILED if another agent listens there
 */
export async function listen(path: string, most: number, greet: (client: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, greet);
  server.maxConnections = most;
  // A client that cannot be accepted is told so by the system; the others continue.
  const ignore = (): void => undefined;
  try {
    await opened(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || (await isAlive(path)))
      throw cannot(path, error);
    await rm(path, { force: true });
    await opened(server, path).catch((again: unknown) => {
      throw cannot(path, again);
    });
  }
  server.on('error', ignore);
  await chmod(path, 0o600);
  return server;
}

async function opened(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function isAlive(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = createConnection({ path });
    const settle = (answer: boolean) => (): void => {
      probe.destroy();
      resolve(answer);
    };
    probe.once('connect', settle(true)).once('error', settle(false));
  });
}

/** Node removes the socket's file. */
export async function closeListener(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

function cannot(path: string, cause: unknown): Failure {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  const why = code === 'EADDRINUSE' ? 'another agent listens there' : code;
  return new Failure('AGENT_FAILED', `the agent cannot listen on ${path}: ${why}`, {
    hint: 'end the other agent, or check the space and the limits of open files on this machine',
    cause,
  });
}
