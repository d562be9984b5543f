/** The action beside others of its kind, and where a runner's folders are not where one thinks. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import type { Job, StepResult } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { gitSteps, repository, told, useStage } from './stage.ts';
import { itWhere } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('the action among neighbours', () => {
  const stage = useStage();
  let world: ReadyWorld;
  /** A second host, with a repository of the same name and its own key. */
  let other: GitHost;
  let otherKey: SshKey;
  let folder: string;

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'n-')));
    [world, other, otherKey] = await Promise.all([startReadyWorld(), startGitHost(), makeSshKey()]);
    await other.createRepository(repository);
    other.addDeployKey({ repository, publicKey: otherKey.publicKey, write: true });
    world.put('/ci/key', stage.key.privateKey);
    world.put('/ci/other-key', otherKey.privateKey);
  });
  afterAll(async () => {
    await Promise.all([world.stop(), other.stop()]);
    rmSync(folder, { recursive: true });
  });

  const pattern = (host: GitHost): string => `${host.address}:${String(host.port)}/${repository}`;
  const newJob = (env: Record<string, string> = {}): Job =>
    stage.job({ env: { ...world.jobEnvironment(), ...env } });
  const use = async (job: Job, keys: string): Promise<StepResult> => {
    const knownHosts = stage.host.knownHosts + other.knownHosts;
    const inputs = { 'aws-region': REGION, 'role-to-assume': ROLE_ARN, 'known-hosts': knownHosts };
    const main = await job.uses({ with: { keys, ...inputs } });
    expect(told(main).text).toBe('');
    return main;
  };
  const reaches = async (job: Job, host: GitHost): Promise<boolean> =>
    (await job.run(`git ls-remote ${host.url(repository)} main || true`)).log.includes('refs/heads/main');
  const lastOffered = async (host: GitHost): Promise<readonly string[] | undefined> =>
    (await host.log()).at(-1)?.offered;
  const nothingLeft = async (job: Job): Promise<void> => {
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual(
      posts.map(() => ['success', []]),
    );
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
  };

  describe('two runners of one user on one machine', () => {
    it('work at the same time, each by its own key, and the end of one does not touch the other', async () => {
      const [first, second] = [newJob(), newJob()];
      await Promise.all([use(first, '/ci/key'), use(second, '/ci/other-key')]);
      const steps = await Promise.all([first.run(gitSteps(stage.host)), second.run(gitSteps(other))]);
      for (const { log } of steps) expect(log).toContain('## main...origin/main\n');
      expect(await lastOffered(stage.host)).toEqual([stage.key.fingerprint]);
      expect(await lastOffered(other)).toEqual([otherKey.fingerprint]);
      const going = second.run(`for i in 1 2 3; do git ls-remote ${other.url(repository)} main; done`);
      await nothingLeft(first);
      expect((await going).log.match(/refs\/heads\/main/g)?.length).toBe(3);
      expect(await reaches(second, other)).toBe(true);
      expect(await reaches(second, stage.host)).toBe(false);
      await nothingLeft(second);
    });

    it('start one right after the other: what belongs to a job that goes on is not swept', async () => {
      const first = newJob();
      await use(first, '/ci/key');
      const second = newJob();
      await use(second, '/ci/other-key');
      expect(await reaches(first, stage.host)).toBe(true);
      await nothingLeft(second);
      expect(await reaches(first, stage.host)).toBe(true);
      await nothingLeft(first);
    });
  });

  it('of two uses for two hosts in one job, the second one’s post leaves the first one’s host reachable', async () => {
    const job = newJob();
    await use(job, `/ci/key ${pattern(stage.host)}`);
    await use(job, `/ci/other-key ${pattern(other)}`);
    expect([await reaches(job, stage.host), await reaches(job, other)]).toEqual([true, true]);
    await job.finish({ posts: 1 });
    expect([await reaches(job, stage.host), await reaches(job, other)]).toEqual([true, false]);
    await nothingLeft(job);
  });

  // OpenSSH looks up the account's home, git and AWS's SDK go by HOME.
  it.each([
    ['is not the account’s', (root: string) => mkdtempSync(join(root, 'home-'))],
    ['is not there', () => '/nowhere/at/all'],
    ['cannot be written to', () => '/proc'],
    ['is empty', () => ''],
  ])('a HOME that %s is no hindrance', async (_, makeHome) => {
    const home = makeHome(folder);
    const job = newJob({ HOME: home });
    await use(job, '/ci/key');
    expect((await job.run(gitSteps(stage.host))).log).toContain('## main...origin/main\n');
    await nothingLeft(job);
    if (home.startsWith(folder)) expect(readdirSync(home)).toEqual([]);
  });

  /** As the runner does for a container: it translates what begins with the path, and nothing inside other values. */
  const translate = (env: StepResult['env'], from: string, to: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(env).map(([name, value]) => [
        name,
        value.startsWith(from) ? to + value.slice(from.length) : value,
      ]),
    );
  const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;

  describe('a container that sees RUNNER_TEMP at another path, and has neither Node nor the PATH of the host', () => {
    /** Its own list of programs. */
    const programs = (): string => {
      const bin = mkdtempSync(join(folder, 'bin-'));
      for (const name of ['git', 'ssh', 'ssh-add', 'sh', 'tr', 'grep']) {
        symlinkSync(
          execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(),
          join(bin, name),
        );
      }
      return bin;
    };
    const script = (): string =>
      [stage.host, other]
        .map((host, index) => `git clone --quiet ${host.url(repository)} ${String(index)}`)
        .join(' && ') + ' && ! command -v node && echo cloned by "${GIT_SSH_COMMAND%/ssm-ssh*}"';
    const start = async (): Promise<{ job: Job; env: StepResult['env'] }> => {
      const job = newJob();
      await use(job, `/ci/other-key ${pattern(other)}`);
      const { env } = await use(job, '/ci/key');
      return { job, env };
    };
    const run = (command: readonly [string, ...string[]], env: Record<string, string>): string => {
      const [file, ...args] = command;
      const cwd = mkdtempSync(join(folder, 'work-'));
      const { stdout, stderr } = spawnSync(file, args, { cwd, env: { ...env, HOME: cwd }, encoding: 'utf8' });
      return stdout + stderr;
    };

    it('clones by each use’s key when the folder has moved', async () => {
      const { job, env } = await start();
      const moved = mkdtempSync(join(folder, 'moved-'));
      renameSync(job.temp, moved);
      const output = run(['/bin/sh', '-c', script()], {
        ...translate(env, job.temp, moved),
        PATH: programs(),
      });
      renameSync(moved, job.temp);
      expect(output).toMatch(new RegExp(`^cloned by ${moved}/[^ ]*\n$`));
      await nothingLeft(job);
    });

    itWhere(canMount, 'a mount namespace needs root')(
      'clones by each use’s key when the folder is mounted there and here is nothing',
      async () => {
        const { job, env } = await start();
        const mounted = mkdtempSync(join(folder, 'mounted-'));
        const mount = `mount --bind '${job.temp}' '${mounted}' && mount -t tmpfs none '${job.temp}' && PATH='${programs()}'`;
        const output = run(['unshare', '-m', '/bin/sh', '-c', `${mount} && ${script()}`], {
          ...translate(env, job.temp, mounted),
          PATH: process.env['PATH'] ?? '',
        });
        expect(output).toMatch(new RegExp(`^cloned by ${mounted}/[^ ]*\n$`));
        await nothingLeft(job);
      },
    );
  });
});
