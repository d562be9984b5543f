/** Agents that are not what they should be, in a job and on a host: told in time, and nothing is left of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { fakeSshAgent, serveInstead } from '../support/agents.ts';
import type { Job, StepResult } from '../support/runner/job.ts';
import { openEc2Host } from './ec2-host.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('an ssh-agent', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let folder: string;

  beforeAll(async () => {
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
    folder = mkdtempSync(join(tmpdir(), 'misbehaving-'));
  });
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  /** A job whose programs are looked for in a folder first. */
  async function use(
    bin: string,
    more: Record<string, string> = {},
  ): Promise<{ job: Job; main: StepResult; seconds: number }> {
    const env = { ...world.jobEnvironment(), PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const job = stage.job({ env });
    const started = Date.now();
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN, ...more };
    const main = await job.uses({ with: inputs });
    return { job, main, seconds: (Date.now() - started) / 1000 };
  }

  function bin(name: string, text: string): string {
    const bin = mkdtempSync(join(folder, 'bin-'));
    writeFileSync(join(bin, name), text, { mode: 0o755 });
    return bin;
  }

  const refusing = 'connection.write(Buffer.from([0, 0, 0, 1, 5]))';
  it.each([
    ['refuses every key', refusing, 'AGENT_FAILED', /refused the key in \/ci\/deploy-key\nhint: /],
    ['hangs up', 'connection.destroy()', 'AGENT_FAILED', /closed the connection\nhint: /],
    [
      'promises an answer of 4 GB',
      'connection.write(Buffer.from([255, 255, 255, 255, 6]))',
      'AGENT_FAILED',
      /does not speak the protocol of ssh-agent\nhint: /,
    ],
    ['never answers', '', 'TIMEOUT', /took longer than 3 seconds/],
  ])('that %s ends the step, and is ended with it', async (...[, answer, code, text]) => {
    const { job, main, seconds } = await use(fakeSshAgent(folder, answer), {
      'timeout-seconds': code === 'TIMEOUT' ? '3' : '30',
    });
    expect(told(main).code).toBe(code);
    expect(told(main).text).toMatch(text);
    expect(seconds).toBeLessThan(30);
    for (const line of stage.key.privateKey.split('\n').slice(1, -2))
      expect(told(main).text).not.toContain(line);
    expect([job.processes(), job.files()]).toEqual([[], []]);
  });

  it('that hangs at its start ends the step with TIMEOUT, and is ended by the socket that it was to make', async () => {
    const hanging = bin('ssh-agent', `#!${process.execPath}\nsetInterval(() => {}, 1000);\n`);
    const { job, main, seconds } = await use(hanging, { 'timeout-seconds': '2' });
    expect(told(main).code).toBe('TIMEOUT');
    expect(seconds).toBeLessThan(30);
    expect([job.processes(), job.files()]).toEqual([[], []]);
  });

  it('that comes up after the step has timed out finds no place for its socket, and ends', async () => {
    const real = (await stage.job({ env: {} }).run('command -v ssh-agent')).log.trim();
    const late = bin(
      'ssh-agent',
      // Until then its command line does not name the socket.
      `#!/bin/sh\nsocket=$3 exec sh -c 'sleep 2.5; exec ${real} -s -a "$socket"'\n`,
    );
    const { job, main } = await use(late, { 'timeout-seconds': '1' });
    expect(told(main).code).toBe('TIMEOUT');
    const deadline = Date.now() + 20_000;
    while (job.processes().length > 0 && Date.now() < deadline) await sleep(50);
    expect([job.processes(), job.files()]).toEqual([[], []]);
  });

  it.each([
    ['git', { 'git-signing': 'true' }],
    ['ssh', { 'restrict-to-hosts': 'true' }],
  ])('beside a %s that hangs when it is asked for its version: the step ends in time', async (name, more) => {
    const hanging = bin(name, `#!${process.execPath}\nsetInterval(() => {}, 1000);\n`);
    const { job, main, seconds } = await use(hanging, { ...more, 'timeout-seconds': '1' });
    expect(told(main).code).toBe('TIMEOUT');
    expect(seconds).toBeLessThan(30);
    expect(job.files()).toEqual([]);
  });

  it('beside an ssh that is too old to restrict keys: told before AWS is asked', async () => {
    world.aws.forgetCalls();
    const old = bin('ssh', '#!/bin/sh\necho OpenSSH_8.4p1, OpenSSL 1.1.1 >&2\n');
    const { job, main } = await use(old, { 'restrict-to-hosts': 'true' });
    expect(told(main).text).toMatch(
      /AGENT_FAILED: restrict-to-hosts needs OpenSSH 8\.9, this is OpenSSH_8\.4p1/,
    );
    expect([world.aws.calls, job.processes(), job.files()]).toEqual([[], [], []]);
  });

  it('and what starts it say nothing in the log', async () => {
    const { main } = await use(folder, { 'restrict-to-hosts': 'true' });
    expect(told(main).text).toBe('');
    expect(main.log).not.toMatch(/\[command\]|ssh-agent -s|SSH_AUTH_SOCK=|OpenSSH_/);
  });

  it('of the user that answers nonsense fails add, before AWS is asked', async () => {
    const host = await openEc2Host();
    const socket = join(host.folder, 'strange');
    const stop = await serveInstead(socket, (connection) => connection.write('220 ready\r\n'));
    try {
      const { exitCode, stderr } = await host.agent(['add', '/ci/deploy-key'], {
        env: { SSH_AUTH_SOCK: socket },
      });
      expect([exitCode, host.world.aws.calls]).toEqual([1, []]);
      expect(stderr).toMatch(
        /^ssm-ssh-agent: AGENT_FAILED: the agent at .* does not speak the protocol of ssh-agent\nhint: .*\n$/,
      );
    } finally {
      await stop();
      await host.close();
    }
  });
});
