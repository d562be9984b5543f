/** The end of a job, and of those before it, where the machine is short of something or belongs to others as well. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import {
  asRunnerOf,
  asUser,
  describeWithUsers,
  itWithHiddenProcesses,
  openTo,
  other,
  tempFor,
  wrapNode,
} from '../../support/node-wrapper.ts';
import type { Job, StepResult } from '../../support/runner/job.ts';
import { told, useStage } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

describe('the end of a job', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let folder: string;
  const started: ChildProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ends-'));
    execFileSync('chmod', ['755', folder]);
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterEach(() => {
    // Each is the leader of a group of its own.
    for (const { pid } of started.splice(0)) if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  });
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  const start = (argv: readonly string[]): ChildProcess => {
    const [file = '', ...args] = argv;
    const child = spawn(file, args, { detached: true, stdio: 'ignore' });
    started.push(child);
    return child;
  };
  const use = async (job: Job, more: Readonly<Record<string, string>> = {}): Promise<StepResult> => {
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const main = await job.uses({ with: { ...inputs, ...more } });
    expect(told(main).text).toBe('');
    return main;
  };

  it('with fewer file descriptors than there are processes ends the agent', async () => {
    const nodePath = wrapNode(folder, { post: 'ulimit -n 60; exec "$@"' });
    const job = stage.job({ env: world.jobEnvironment(), nodePath });
    await use(job);
    start(['sh', '-c', 'for n in $(seq 150); do sleep 60 & done; wait']);
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ annotations }) => annotations)).toEqual([[]]);
    expect(posts[0]?.log).toContain('ssh-agent ended');
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
  });

  it('of others is not seen in the earlier uses of this job, for a step with its own RUNNER_TRACKING_ID', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    await use(job);
    await use(job);
    const third = await job.uses({
      env: { RUNNER_TRACKING_ID: '0' },
      with: { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN },
    });
    expect([told(third).text, third.log]).toEqual(['', expect.not.stringContaining('left behind')]);
    const { posts } = await job.finish();
    expect(posts.map(({ log }) => log.includes('ssh-agent ended'))).toEqual([true, true, true]);
  });

  it('of others with more leftovers than there are file descriptors spares the uses of this job', async () => {
    const temp = mkdtempSync(join(folder, 'temp-'));
    const nodePath = wrapNode(folder, { main: 'ulimit -n 64; exec "$@"' });
    const job = stage.job({ env: { ...world.jobEnvironment(), RUNNER_TEMP: temp }, nodePath });
    const first = await use(job);
    for (let number = 0; number < 80; number++) {
      const left = join(temp, `ssm-ssh-agent-${number.toString(16).padStart(8, '0')}`);
      mkdirSync(left);
      writeFileSync(join(left, 'job'), 'another');
    }
    const second = await use(job);
    expect(second.annotations).toEqual([]);
    for (const { env } of [first, second]) {
      const options = { env: { ...process.env, ...env }, encoding: 'utf8' } as const;
      expect(spawnSync('ssh-add', ['-l'], options).stdout).toContain(stage.key.fingerprint);
    }
    expect(readdirSync(temp)).toHaveLength(2);
    await job.finish();
    expect(readdirSync(temp)).toEqual([]);
  });

  itWithHiddenProcesses(
    'in another namespace of processes than main leaves no key in the agent that it cannot see',
    async () => {
      const nodePath = wrapNode(folder, { post: 'exec unshare --pid --fork --mount-proc "$@"' });
      const job = stage.job({ env: world.jobEnvironment(), nodePath });
      const { env } = await use(job);
      // The agent's socket goes with the folder: by another name it can be asked after that.
      const socket = join(folder, 'hidden');
      linkSync(env['SSH_AUTH_SOCK'] ?? '', socket);
      const list = (): string => {
        const options = { env: { ...process.env, SSH_AUTH_SOCK: socket }, encoding: 'utf8' } as const;
        return spawnSync('ssh-add', ['-l'], options).stdout;
      };
      expect(list()).toContain(stage.key.fingerprint);
      const { posts } = await job.finish();
      expect(list()).toContain('The agent has no identities.');
      expect(posts[0]?.outcome).toBe('success');
      expect(posts[0]?.log).toMatch(/the keys are forgotten.* process .* not found/);
      expect(job.files()).toEqual([]);
    },
  );

  itWithHiddenProcesses(
    'in another namespace of processes, where a step has removed the socket, says that the keys are not forgotten',
    async () => {
      const nodePath = wrapNode(folder, { post: 'exec unshare --pid --fork --mount-proc "$@"' });
      const job = stage.job({ env: world.jobEnvironment(), nodePath });
      const { env } = await use(job);
      await job.run('rm -r "$RUNNER_TEMP"/ssm-ssh-agent-*');
      const { posts } = await job.finish();
      expect(posts[0]?.outcome).toBe('success');
      expect(posts[0]?.log).toContain(`no agent was found at ${env['SSH_AUTH_SOCK'] ?? ''}`);
      expect(posts[0]?.log).toContain('its keys end with their lifetime');
    },
  );

  describeWithUsers('on a host with other users', () => {
    const jobOf = (id: number, env: Readonly<Record<string, string>>): Job =>
      openTo(
        stage.job({
          env: { ...world.jobEnvironment(), ...env },
          nodePath: wrapNode(folder, { main: asRunnerOf(id), post: asRunnerOf(id) }),
        }),
      );
    const isAlive = ({ exitCode, signalCode }: ChildProcess): boolean =>
      exitCode === null && signalCode === null;

    it('is not held by processes of others that name folders of ours', async () => {
      const temp = tempFor(other);
      const invented = Array.from({ length: 6 }, (_, number) => {
        const socket = `${temp}/ssm-ssh-agent-0000000${number}/agent`;
        return start(['sh', '-c', 'sleep 60; :', 'x', '-a', socket]);
      });
      const job = jobOf(other, { RUNNER_TEMP: temp });
      const began = Date.now();
      const main = await use(job, { 'timeout-seconds': '10' });
      expect(Date.now() - began).toBeLessThan(30_000);
      expect([main.annotations, invented.filter(isAlive).length]).toEqual([[], 6]);
      // They are nobody's leftovers: nothing is looked for in the folders that they name.
      expect(main.log).not.toContain('left behind');
      const its = start(['sh', '-c', 'sleep 60; :', 'x', '-a', main.env['SSH_AUTH_SOCK'] ?? '']);
      const finishing = Date.now();
      const { posts } = await job.finish();
      expect(Date.now() - finishing).toBeLessThan(30_000);
      expect([posts[0]?.annotations, isAlive(its), readdirSync(temp)]).toEqual([[], true, []]);
      rmSync(temp, { recursive: true });
    });

    it('that is root’s ends no process of others that name folders of ours', async () => {
      const temp = tempFor(0);
      const socket = `${temp}/ssm-ssh-agent-00000000/agent`;
      const theirs = start([...asUser(other), 'sh', '-c', 'sleep 60; :', 'x', '-a', socket]);
      const job = stage.job({ env: { ...world.jobEnvironment(), RUNNER_TEMP: temp } });
      const main = await use(job);
      await job.finish();
      expect([main.annotations, isAlive(theirs), readdirSync(temp)]).toEqual([[], true, []]);
      rmSync(temp, { recursive: true });
    });

    it('does not hear of a folder that it cannot remove from removing the next, and ends its agent', async () => {
      const temp = tempFor(other);
      const theirs = join(temp, 'ssm-ssh-agent-00000000');
      mkdirSync(join(theirs, 'keys'), { recursive: true, mode: 0o700 });
      writeFileSync(join(theirs, 'keys/0.pub'), '');
      const dead = jobOf(other, { RUNNER_TEMP: temp });
      await use(dead);
      const job = jobOf(other, { RUNNER_TEMP: temp });
      const main = await use(job);
      expect(dead.processes()).toEqual([]);
      expect(main.annotations.map(({ level, message }) => [level, message])).toEqual([
        ['warning', expect.stringContaining(theirs)],
      ]);
      await job.finish();
      expect(readdirSync(temp)).toEqual(['ssm-ssh-agent-00000000']);
      rmSync(temp, { recursive: true });
    });
  });

  it('is not held by pipes that stand where an earlier job had its files', async () => {
    const temp = mkdtempSync(join(folder, 'temp-'));
    for (let number = 0; number < 6; number++) {
      const left = join(temp, `ssm-ssh-agent-0000000${number}`);
      mkdirSync(left);
      execFileSync('mkfifo', [join(left, 'job'), join(left, 'tokens')]);
    }
    const job = stage.job({ env: { ...world.jobEnvironment(), RUNNER_TEMP: temp } });
    const began = Date.now();
    await use(job, { 'timeout-seconds': '10' });
    expect(Date.now() - began).toBeLessThan(30_000);
    await job.finish();
    expect(readdirSync(temp)).toEqual([]);
  });
});
