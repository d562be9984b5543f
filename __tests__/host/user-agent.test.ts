import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { ensureAgent, flushUser } from '../../src/host/user-agent.ts';
import { serveInstead } from '../support/agents.ts';

it("a user's agent that does not answer is not replaced, and the hint says how to end it", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'user-agent-'));
  const socket = join(folder, 'agent');
  const stop = await serveInstead(socket, () => undefined);
  try {
    const options = { helper: '/nowhere', seconds: 0.2, env: {}, signal: AbortSignal.timeout(20_000) };
    await expect(ensureAgent(folder, options)).rejects.toMatchObject({
      ...{ code: 'TIMEOUT', message: `the agent on ${socket} has not answered within 0.2 seconds` },
      hint: 'run ssm-ssh-agent flush, which ends the agent; its keys are then read again',
    });
  } finally {
    await stop();
    rmSync(folder, { recursive: true });
  }
});

it('a flush beside logins that write their files removes the folder', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'flush-'));
  const user = { id: process.getuid?.() ?? -1, home: undefined, temporary };
  const folder = join(temporary, `ssm-ssh-agent-${user.id}`);
  let isOver = false;
  // Writes as a login does: a folder for its key, a file in it, and then a while nothing.
  const login = async (number: number): Promise<void> => {
    while (!isOver) {
      const own = join(folder, 'keys', String(number));
      await mkdir(own, { recursive: true }).catch(() => undefined);
      await writeFile(join(own, 'live'), '\n').catch(() => undefined);
      await delay(20 + Math.random() * 40);
    }
  };
  const logins = Array.from({ length: 8 }, async (_, number) => {
    await login(number);
  });
  try {
    for (let flushed = 0; flushed < 40; flushed++) {
      await mkdir(folder, { mode: 0o700 }).catch(() => undefined);
      expect(await flushUser(user)).toContain(folder);
    }
  } finally {
    isOver = true;
    await Promise.all(logins);
    rmSync(temporary, { recursive: true });
  }
});
