import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ensureAgent } from '../../src/host/user-agent.ts';
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
