/** Daemons that do not answer as git's credential-cache does. What git's own does, e2e/job shows. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cacheEntries, earlierHelpers, readCredential } from '../../src/git/credential-cache.ts';
import type { Entry } from '../../src/git/job-configuration.ts';

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

describe('the helper of an earlier use', () => {
  const place = { host: 'github.com', username: 'x-access-token' };
  const entries = (path: string, job: string): Entry[] =>
    cacheEntries(`https://github.com/${path}`, `/tmp/ssm-ssh-agent-${job}/git0`, place);
  const helper = (job: string): string => entries('acme', job)[1]?.[1] ?? '';
  const [first, second] = ['00000001', '00000002'];
  const lib = 'credential.https://github.com/acme/lib.helper';

  it('for a repository stands behind that of a later one for its owner, and before it in the order of asking', () => {
    const there: Entry[] = [['user.name', 'ci'], ...entries('acme/lib', first)];
    expect(earlierHelpers(there, entries('acme', second))).toEqual([
      [lib, ''],
      [lib, helper(first)],
      [lib, helper(second)],
    ]);
  });

  it.each([
    ['another owner', entries('other/lib', first)],
    ['an owner whose name begins alike', entries('acme2/lib', first)],
    ['the same repository', entries('acme', first)],
    ['somebody else', [[lib, 'store']] satisfies Entry[]],
  ])('for %s stays where it is', (_, there) => {
    expect(earlierHelpers(there, entries('acme', second))).toEqual([]);
  });

  it('for the same repository is replaced, although the later use names the owner, too', () => {
    const added = [...entries('acme', second), ...entries('acme/lib', second)];
    expect(earlierHelpers(entries('acme/lib', first), added)).toEqual([]);
  });
});
