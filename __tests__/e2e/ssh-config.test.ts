import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { canMountHome, nodeIn, scriptIn, sshFile } from '../support/account-home.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { certify } from '../support/keygen.ts';
import type { Job } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openStage, repository, told, type Stage } from './stage.ts';
import { describeWhere } from '../support/needs.ts';
import { itInRest, itInTurn as it } from '../support/parts.ts';

describeWhere(canMountHome(tmpdir()), 'blocks in ~/.ssh need root')('ssh-config', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let other: SshKey;
  let home: string;

  beforeAll(async () => {
    [stage, world, other] = await Promise.all([openStage(), startReadyWorld(), makeSshKey()]);
    await stage.host.createRepository('acme/tools');
    stage.host.addDeployKey({ repository: 'acme/tools', publicKey: other.publicKey });
    world.put('/ci/deploy-key', stage.key.privateKey);
    world.put('/ci/tools-key', other.privateKey);
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'home-'));
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  const newJob = (env: Record<string, string> = {}): Job => {
    const node = nodeIn(home, join(home, 'bin/node'));
    return stage.job({ env: { ...world.jobEnvironment(), ...env }, nodePath: node });
  };
  const use = async (
    job: Job,
    keys = '/ci/deploy-key',
    more: Record<string, string> = {},
  ): Promise<string> => {
    const inputs = { 'aws-region': REGION, 'role-to-assume': ROLE_ARN, 'known-hosts': stage.host.knownHosts };
    const main = await job.uses({ with: { keys, ...inputs, 'ssh-config': 'true', ...more } });
    return told(main).text;
  };
  /** By ssh itself: neither our program nor the agent of the environment. */
  const plainGit = async (job: Job, name = repository): Promise<string> => {
    const git = `env -u SSH_AUTH_SOCK -u GIT_SSH_COMMAND -u GIT_SSH_VARIANT git ls-remote ${stage.host.url(name)} 2>&1 || true`;
    return (await job.run(scriptIn(home, git))).log;
  };
  const place = (): string => `${stage.host.address}:${String(stage.host.port)}`;
  const sshFolder = (): string[] =>
    existsSync(join(home, '.ssh')) ? readdirSync(join(home, '.ssh')).sort() : [];
  const write = (name: string, text: string | Buffer, mode = 0o600): void => {
    mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 });
    writeFileSync(sshFile(home, name), text, { mode });
  };

  it('leads plain ssh to the key and to the known hosts, and nothing is left of it after post', async () => {
    const job = newJob();
    expect(await use(job)).toBe('');
    expect(sshFolder()).toEqual(['config', 'known_hosts']);
    expect(statSync(sshFile(home, 'config')).mode & 0o777).toBe(0o600);
    expect(await plainGit(job)).toContain('refs/heads/main');
    const { posts } = await job.finish();
    expect(posts.map(({ annotations }) => annotations)).toEqual([[]]);
    expect(existsSync(join(home, '.ssh'))).toBe(false);
  });

  it("leaves every other byte of the user's files as it was, their modes, and a link a link", async () => {
    const config = Buffer.concat([
      Buffer.from('# caf'),
      Buffer.of(0xe9),
      Buffer.from('\r\nHost x\n  User y'),
    ]);
    write('known_hosts', `host.test ${other.publicKey}\n`, 0o644);
    mkdirSync(join(home, 'dotfiles'));
    writeFileSync(join(home, 'dotfiles/config'), config, { mode: 0o640 });
    symlinkSync('../dotfiles/config', sshFile(home, 'config'));
    const job = newJob();
    expect(await use(job)).toBe('');
    expect(readFileSync(sshFile(home, 'config')).includes(config)).toBe(true);
    expect(await plainGit(job)).toContain('refs/heads/main');
    await job.finish();
    expect(readFileSync(join(home, 'dotfiles/config')).equals(config)).toBe(true);
    expect(readFileSync(sshFile(home, 'known_hosts'), 'utf8')).toBe(`host.test ${other.publicKey}\n`);
    expect(statSync(sshFile(home, 'known_hosts')).mode & 0o777).toBe(0o644);
    expect(statSync(join(home, 'dotfiles/config')).mode & 0o777).toBe(0o640);
    expect(sshFolder()).toEqual(['config', 'known_hosts']);
  });

  it('takes precedence over what the user sets for all hosts', async () => {
    write('config', 'Host *\n  IdentityAgent none\n  IdentityFile /nowhere\n  StrictHostKeyChecking no\n');
    const job = newJob();
    await use(job, `/ci/deploy-key ${place()}`);
    expect(await plainGit(job)).toContain('refs/heads/main');
  });

  it('of two jobs at once of one user is for each its own, and ends with each', async () => {
    const jobs = [newJob(), newJob()] as const;
    const keys = [`/ci/deploy-key ${place()}`, `/ci/tools-key ${place()}`] as const;
    expect(await Promise.all(jobs.map((job, index) => use(job, keys[index])))).toEqual(['', '']);
    const [lib, tools] = ['acme/lib', 'acme/tools'] as const;
    expect(await plainGit(jobs[0], lib)).toContain('refs/heads/main');
    expect(await plainGit(jobs[1], tools)).toContain('refs/heads/main');
    expect(await plainGit(jobs[0], tools)).toContain('Repository not found');
    expect(await plainGit(jobs[1], lib)).toContain('Repository not found');
    await jobs[0].finish();
    expect(await plainGit(jobs[1], tools)).toContain('refs/heads/main');
    expect(await plainGit(jobs[0], lib)).not.toContain('refs/heads/main');
    await jobs[1].finish();
    expect(existsSync(join(home, '.ssh'))).toBe(false);
  });

  const leavesNothing = async (count: number): Promise<void> => {
    const before = 'Host x\n  User y\n';
    write('config', before);
    const jobs = Array.from({ length: count }, () => newJob());
    expect(await Promise.all(jobs.map((job) => use(job)))).toEqual(jobs.map(() => ''));
    await Promise.all(jobs.map((job) => job.finish()));
    expect(readFileSync(sshFile(home, 'config'), 'utf8')).toBe(before);
    expect(sshFolder()).toEqual(['config']);
  };
  it('of three jobs that begin and end at once leaves nothing', () => leavesNothing(3));
  itInRest('of eight jobs that begin and end at once leaves nothing', () => leavesNothing(8));

  it('does not apply to what git asks our own program for', async () => {
    const job = newJob();
    await use(job, `/ci/deploy-key ${place()}/acme/lib\n/ci/tools-key ${place()}/acme/tools`);
    const script = `git ls-remote ${stage.host.url('acme/tools')} && git ls-remote ${stage.host.url('acme/other')} 2>&1 || true`;
    const { log } = await job.run(scriptIn(home, script));
    expect(log).toContain('refs/heads/main');
    const [right, none] = (await stage.host.log()).slice(-2);
    expect([right?.offered, none?.offered]).toEqual([[other.fingerprint], []]);
  });

  it('of a job that was killed is taken out by the next one', async () => {
    const temp = mkdtempSync(join(tmpdir(), 'runner-'));
    const dead = newJob({ RUNNER_TEMP: temp });
    await use(dead);
    for (const name of readdirSync(temp)) rmSync(join(temp, name), { recursive: true });
    const next = newJob({ RUNNER_TEMP: temp });
    expect(await use(next)).toBe('');
    expect(readFileSync(sshFile(home, 'config'), 'utf8').match(/begins/g)?.length).toBe(1);
    expect(dead.processes()).toEqual([]);
    await next.finish();
    expect(existsSync(join(home, '.ssh'))).toBe(false);
    rmSync(temp, { recursive: true });
  });

  it('of a step that fails is taken out by the step itself', async () => {
    const before = 'Host x\n';
    write('config', before);
    mkdirSync(sshFile(home, 'known_hosts')); // No file can be written there.
    const job = newJob();
    expect(await use(job)).toMatch(
      /STATE_UNSAFE: ssh-config: .*known_hosts.*\nhint: let the user of the runner write/,
    );
    expect(readFileSync(sshFile(home, 'config'), 'utf8')).toBe(before);
    expect([job.processes(), job.files()]).toEqual([[], []]);
  });

  it('leaves what is no regular file alone, whatever it would be to write to it', async () => {
    mkdirSync(join(home, '.ssh'), { mode: 0o700 });
    execFileSync('mkfifo', [join(home, 'pipe')]);
    symlinkSync('../pipe', sshFile(home, 'known_hosts'));
    const job = newJob();
    expect(await use(job)).toMatch(/STATE_UNSAFE: ssh-config: .*it is not a regular file/);
    expect(statSync(join(home, 'pipe')).isFIFO()).toBe(true);
    expect(sshFolder()).toEqual(['known_hosts']);
  });

  it('writes where a link leads, though nothing is there yet', async () => {
    mkdirSync(join(home, '.ssh'), { mode: 0o700 });
    mkdirSync(join(home, 'dotfiles'));
    symlinkSync('../dotfiles/config', sshFile(home, 'config'));
    const job = newJob();
    expect(await use(job)).toBe('');
    expect(await plainGit(job)).toContain('refs/heads/main');
    await job.finish();
    expect(sshFolder()).toEqual(['config']);
    expect(readlinkSync(sshFile(home, 'config'))).toBe('../dotfiles/config');
    expect(readdirSync(join(home, 'dotfiles'))).toEqual([]);
  });

  it('of which nothing can be taken out keeps nothing else from being undone', async () => {
    const job = newJob();
    await use(job);
    rmSync(sshFile(home, 'config'));
    write('config', '# ssm-ssh-agent begins: ');
    mkdirSync(sshFile(home, 'config.ssm-ssh-agent-lock'));
    const { posts } = await job.finish();
    expect(posts[0]?.annotations.map(({ message }) => message)).toEqual([
      expect.stringMatching(/not everything could be undone: ssh-config: .*config/),
    ]);
    expect((await job.run('echo "$GIT_SSH_COMMAND $SSH_AUTH_SOCK"')).log).toBe('ssh \n');
    expect([job.processes(), job.files().filter(({ path }) => path.startsWith(job.temp))]).toEqual([[], []]);
  });

  it('waits for no lock of the dead, whatever time it is from', async () => {
    write('config.ssm-ssh-agent-lock', 'half');
    utimesSync(sshFile(home, 'config.ssm-ssh-agent-lock'), 4e9, 4e9);
    const job = newJob();
    expect(await use(job)).toBe('');
    write('known_hosts.ssm-ssh-agent-lock', 'half');
    await job.finish();
    expect(sshFolder()).toEqual([]);
  });

  it('tells the next block all that has to go with the last one', async () => {
    const job = newJob();
    await use(job);
    const begins = '# ssm-ssh-agent begins: /elsewhere';
    const other = `${begins} (in a new folder)\n# ssm-ssh-agent ends: /elsewhere\n`;
    write('config', other + readFileSync(sshFile(home, 'config'), 'utf8'));
    await job.finish();
    expect(readFileSync(sshFile(home, 'config'), 'utf8')).toMatch(
      `${begins} (in a new file) (in a new folder)\n`,
    );
  });

  it('of a later use in the job leaves its default keys out where an earlier one names the host', async () => {
    const job = newJob();
    await use(job, `/ci/deploy-key ${place()}`);
    expect(await use(job, '/ci/tools-key')).toBe('');
    expect(await plainGit(job)).toContain('refs/heads/main');
    await job.finish({ posts: 2 });
    expect(sshFolder()).toEqual([]);
  });

  it('says so where ssh has no shell to ask for its conditions', async () => {
    const job = newJob({ SHELL: '/bin/false' });
    const main = await job.uses({
      with: {
        keys: '/ci/deploy-key',
        'aws-region': REGION,
        'role-to-assume': ROLE_ARN,
        'ssh-config': 'true',
      },
    });
    expect(main.annotations.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      expect.stringMatching(/^warning: .*ssh-config has no effect where SHELL is \/bin\/false/),
    ]);
  });

  it('leaves a shell that hangs where the runner finds it: by its job', async () => {
    const shell = join(home, 'hangs');
    writeFileSync(shell, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const job = newJob({ SHELL: shell });
    expect(await use(job, '/ci/deploy-key', { 'timeout-seconds': '5' })).toContain('took longer than');
    expect([job.files(), sshFolder()]).toEqual([[], []]);
    expect(job.processes().map(({ command }) => command)).toEqual(['sleep 600']);
  });

  it('offers the certificate of a key, and none for a key without one', async () => {
    const authority = await makeSshKey();
    const certificate = certify(other.publicKey, authority.privateKey, ['-n', 'deploy', '-V', '+1h']);
    world.put('/ci/certificate', certificate, { type: 'String' });
    const job = newJob();
    const certified = `/ci/tools-key certificate=/ci/certificate ${place()}/acme/tools`;
    expect(await use(job, `${certified}\n/ci/deploy-key ${place()}/${repository}`)).toBe('');
    const offered = [...readFileSync(sshFile(home, 'config'), 'utf8').matchAll(/^ *CertificateFile (.*)$/gm)];
    const texts = offered.map(([, file = '']) =>
      readFileSync(file.replaceAll('"', ''), 'utf8').split(' ', 2),
    );
    expect(texts).toEqual([certificate.split(' ', 2)]);
  });

  it('is not written unless it is asked for', async () => {
    const job = newJob();
    await use(job, '/ci/deploy-key', { 'ssh-config': 'false' });
    expect(sshFolder()).toEqual([]);
  });
});
