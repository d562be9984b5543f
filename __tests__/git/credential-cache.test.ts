/** Daemons that do not answer as git's credential-cache does. What git's own does, e2e/job shows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readCredential } from '../../src/git/credential-cache.ts';

describe('a daemon', () => {
  const place = { host: 'github.com', username: 'x-access-token' };
  const password = 'password=open sesame\n';
  let folder: string;
  let server: Server | undefined;
  let connections: Socket[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cache-'));
    connections = [];
  });
  afterEach(() => {
    for (const connection of connections) connection.destroy();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** @param answer what the daemon does with a question */
  async function read(answer: (connection: Socket) => void, patience: number): Promise<string | undefined> {
    const socket = join(folder, 'git1');
    // It keeps a connection open that the client has ended.
    server = createServer({ allowHalfOpen: true }, (connection) => {
      connections.push(connection);
      connection.on('error', () => undefined);
      connection.once('data', () => {
        answer(connection);
      });
    });
    await new Promise<void>((resolve) => server?.listen(socket, resolve));
    return await readCredential(socket, place, { signal: AbortSignal.timeout(patience) });
  }

  it('that ends its answer gives the password', async () => {
    expect(await read((connection) => connection.end(password), 20_000)).toBe('open sesame');
  });

  it.each<[string, (connection: Socket) => void, number]>([
    ['says nothing', () => undefined, 200],
    ['does not end its answer', (connection) => connection.write(password), 200],
    ['says too much', (connection) => connection.write(password + 'x'.repeat(65_536)), 60_000],
  ])(
    'that %s gives none, and is left in time',
    async (_, answer, patience) => {
      expect(await read(answer, patience)).toBeUndefined();
    },
    20_000,
  );
});
