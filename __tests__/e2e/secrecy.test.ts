import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { tracedNode } from '../leaks/trace.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import type { Job, StepResult } from '../support/runner/job.ts';
import { itWith } from '../support/needs.ts';
import { unescaped } from '../support/unescaped.ts';
import { watchProcesses } from '../support/watch-processes.ts';
import { gitSteps, openStage, told, type Stage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('a secret', () => {
  let stage: Stage;
  let world: ReadyWorld;
  /** Text that only a secret has, as bytes of it would look wherever they came. */
  let keyLines: string[];

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    world.put('/ci/deploy-key', stage.key.privateKey);
    // The first lines of an OpenSSH key hold its header and the public half.
    keyLines = stage.key.privateKey.trim().split('\n').slice(3, -1);
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });

  const inputs = (): Record<string, string> => ({
    keys: '/ci/deploy-key',
    'aws-region': REGION,
    'role-to-assume': ROLE_ARN,
    'known-hosts': stage.host.knownHosts,
  });
  /** The masks of main are its secrets: the token, the credentials, the lines of the key but for those that every key begins with. */
  const secretsOf = (main: StepResult): string[] => {
    const beginning = stage.key.privateKey.split('\n').slice(0, 3);
    const secrets = main.masks.filter((mask) => !beginning.includes(mask));
    expect(main.masks).toEqual(expect.arrayContaining(keyLines));
    expect(main.masks.filter((mask) => mask.startsWith('eyJ')).length).toBe(1);
    expect(main.masks.length).toBeGreaterThanOrEqual(keyLines.length + 3);
    expect(main.masks.every((mask) => mask.length >= 8 && !mask.startsWith('-----'))).toBe(true);
    return secrets;
  };
  const unmasked = (raw: string): string => raw.replace(/^::add-mask::.*$/gm, '');

  it.each([false, true])('is in no log line, with step debugging %j', async (debug) => {
    const job = stage.job({ env: world.jobEnvironment(), debug });
    const main = await job.uses({ with: inputs() });
    expect(main.outcome).toBe('success');
    const git = await job.run(gitSteps(stage.host));
    const { posts } = await job.finish();
    const printed = [main, git, ...posts].map(({ raw }) => unmasked(raw)).join('\n');
    for (const secret of secretsOf(main)) expect(printed).not.toContain(secret);
    expect(/ssm:GetParameter at 127\.0\.0\.1: 200, request id \S+ \(\d+ ms\)/.test(main.log)).toBe(debug);
    expect(/the token has iss \S+, sub repo:\S+ and aud sts\.amazonaws\.com/.test(main.log)).toBe(debug);
  });

  it('is in no file of the job, no output, no state and no exported variable', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs() });
    const files = job.files().filter(({ kind }) => kind === 'file');
    expect(files.length).toBeGreaterThan(0);
    const texts = files.map(({ path }) => readFileSync(path, 'latin1'));
    const told = JSON.stringify([main.outputs, main.env, main.state, main.summary, main.annotations]);
    for (const secret of secretsOf(main)) {
      expect(told).not.toContain(secret);
      expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    }
    expect(job.files().filter(({ mode }) => (mode & 0o077) !== 0)).toEqual([]);
  });

  it('is not in what the later steps see of the environment, nor is any credential', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs() });
    const { log } = await job.run('env');
    for (const secret of secretsOf(main)) expect(log).not.toContain(secret);
    expect(log).not.toMatch(/^AWS_(ACCESS|SECRET|SESSION)/m);
  });

  it('is in no command line and no environment of any process, watched all the while', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const watch = watchProcesses(job.root);
    const main = await job.uses({ with: inputs() });
    await job.run(gitSteps(stage.host));
    const all = await watch.stop();
    expect(all).toContain('dist/main/index.js');
    expect(all).toContain('ssh-agent');
    for (const secret of secretsOf(main)) expect(all).not.toContain(secret);
  });

  itWith('strace')('crosses one UNIX socket, into the agent, and is written nowhere else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'traced-'));
    try {
      const { main, trace } = await runTraced(
        stage.job({ env: world.jobEnvironment(), nodePath: tracedNode(folder) }),
        folder,
      );
      const [, pair] = parsePrivateKey(stage.key.privateKey, '').fields;
      const forms = [...keyLines, pair?.subarray(0, 32).toString('latin1') ?? ''];
      const sent = trace.filter(
        (line) =>
          forms.some((form) => line.includes(form)) &&
          /\b(write|writev|pwrite64|send\w*)\(/.test(line) &&
          !line.includes('::add-mask::'),
      );
      expect(sent.length).toBe(1);
      expect(sent[0]).toMatch(/\b(writev?|sendmsg|sendto)\(\d+<(UNIX|socket)/);
      const started = trace.filter((line) => line.includes('execve('));
      expect(started.some((line) => line.includes('ssh-agent'))).toBe(true);
      expect(started.filter((line) => line.includes('ssh-add'))).toEqual([]);
      for (const secret of secretsOf(main))
        expect(started.filter((line) => line.includes(secret))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  async function runTraced(job: Job, folder: string): Promise<{ main: StepResult; trace: string[] }> {
    const main = await job.uses({ with: inputs(), patience: { output: 100 } });
    expect(told(main).text).toBe('');
    // strace goes on until the agent ends.
    await job.finish({ patience: { output: 100 } });
    while (job.processes().length > 0) await sleep(20);
    const traces = readdirSync(folder).filter((name) => name.startsWith('trace'));
    const lines = traces.flatMap((name) => readFileSync(join(folder, name), 'latin1').split('\n'));
    return { main, trace: lines.map(unescaped) };
  }
});
