/** Asking a real ssh-agent what it has; and what is no agent. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listKeys } from '../../src/ssh/agent-keys.ts';
import { makeSshKey } from '../support/ssh-keys.ts';

let folder: string;
let socket: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-keys-'));
  socket = join(folder, 'agent');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const has = async (blob: Buffer): Promise<boolean | undefined> => (await listKeys(socket))?.includes(blob);
const blobOf = (publicKey: string): Buffer => Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');

describe('an ssh-agent', () => {
  it('has the keys that were added, until they are removed', async () => {
    const started = execFileSync('ssh-agent', ['-s', '-a', socket], { encoding: 'utf8' });
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]);
    const add = (args: readonly string[], input = ''): void => {
      execFileSync('ssh-add', ['-q', ...args], {
        input,
        env: { ...process.env, SSH_AUTH_SOCK: socket },
        stdio: 'pipe',
      });
    };
    try {
      const keys = await Promise.all(Array.from({ length: 9 }, () => makeSshKey()));
      const stranger = blobOf((await makeSshKey()).publicKey);
      const first = blobOf(keys.map(({ publicKey }) => publicKey)[0] ?? '');
      expect(await has(first)).toBe(false);
      for (const { privateKey } of keys) add(['-'], privateKey);
      for (const { publicKey } of keys) expect(await has(blobOf(publicKey))).toBe(true);
      expect(await has(stranger)).toBe(false);
      add(['-D']);
      expect(await has(first)).toBe(false);
    } finally {
      process.kill(pid);
    }
  });
});

describe('what is no agent has no answer', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
  });
  const listen = async (answer: Buffer | undefined): Promise<void> => {
    server = createServer((connection) => {
      connection.on('error', () => undefined);
      connection.on('data', () => (answer ? connection.write(answer) : connection.destroy()));
    });
    await new Promise<void>((resolve) => server?.listen(socket, resolve));
  };

  it('where nobody listens', async () => {
    expect(await listKeys(socket)).toBeUndefined();
  });

  it.each([
    ['hangs up', undefined],
    ['says that it failed', Buffer.from([0, 0, 0, 6, 5, 1, 2, 3, 4, 5])],
    ['says something short, and nothing more', Buffer.from([0, 0])],
    ['promises more than it sends', Buffer.from([0, 1, 0, 0, 12])],
    ['talks without end', Buffer.alloc(1_000_000, 0xff)],
  ])('where it %s', async (_, answer) => {
    await listen(answer);
    expect(await listKeys(socket)).toBeUndefined();
  });
});
