import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { gitSteps, openStage, repository, told, type Stage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('on a runner', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let folder: string;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    world.put('/ci/deploy-key', stage.key.privateKey);
    folder = mkdtempSync(join(tmpdir(), 'runner-'));
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
    rmSync(folder, { recursive: true });
  });

  const inputs = (more: Record<string, string> = {}): Record<string, string> => ({
    keys: '/ci/deploy-key',
    'aws-region': REGION,
    'role-to-assume': ROLE_ARN,
    'known-hosts': stage.host.knownHosts,
    ...more,
  });
  const clone = (): string => `git clone --quiet ${stage.host.url(repository)} lib && echo cloned`;

  it('whose temporary folder has spaces and quotes in its path, git still finds the key', async () => {
    const temp = join(folder, "Runner's work %d");
    mkdirSync(temp);
    const job = stage.job({ env: { ...world.jobEnvironment(), RUNNER_TEMP: temp } });
    const main = await job.uses({ with: inputs() });
    expect(told(main).text).toBe('');
    expect((await job.run(gitSteps(stage.host))).log).toContain('## main...origin/main\n');
    await job.finish();
    expect(readdirSync(temp)).toEqual([]);
  });

  it('whose temporary folder is too deep for a socket, the socket lies in a folder of its own, which post removes', async () => {
    const temp = join(folder, 'd'.repeat(100));
    const shelter = join(folder, 'short');
    mkdirSync(temp);
    mkdirSync(shelter);
    const env = { ...world.jobEnvironment(), RUNNER_TEMP: temp, TMPDIR: shelter };
    const job = stage.job({ env });
    const main = await job.uses({ with: inputs() });
    expect(told(main).text).toBe('');
    expect(main.env['SSH_AUTH_SOCK']).toMatch(/\/short\/ssm-ssh-agent-[0-9a-f]{8}\/agent$/);
    expect(statSync(dirname(main.env['SSH_AUTH_SOCK'] ?? '')).mode & 0o777).toBe(0o700);
    expect((await job.run(gitSteps(stage.host))).log).toContain('## main...origin/main\n');
    const { leftoverProcesses } = await job.finish();
    expect([leftoverProcesses, readdirSync(temp), readdirSync(shelter)]).toEqual([[], [], []]);
  });

  it('whose temporary folder is too deep for a socket, the next job removes what a killed one left', async () => {
    const temp = join(folder, 'e'.repeat(100));
    const shelter = join(folder, 'shelter');
    mkdirSync(temp);
    mkdirSync(shelter);
    const env = { ...world.jobEnvironment(), RUNNER_TEMP: temp, TMPDIR: shelter };
    const dead = stage.job({ env });
    await dead.uses({ with: inputs() });
    for (const name of readdirSync(temp)) rmSync(join(temp, name), { recursive: true });
    const job = stage.job({ env });
    await job.uses({ with: inputs() });
    expect([readdirSync(shelter).length, dead.processes()]).toEqual([1, []]);
    await job.finish();
    expect([readdirSync(temp), readdirSync(shelter)]).toEqual([[], []]);
  });

  it("that has no OpenSSH, the error names the distributions' packages", async () => {
    const job = stage.job({ env: { ...world.jobEnvironment(), PATH: folder } });
    const main = await job.uses({ with: inputs() });
    expect(told(main).code).toBe('AGENT_NOT_FOUND');
    expect(told(main).text).toMatch(/apt-get install openssh-client.*apk add openssh-client/);
    expect(job.files()).toEqual([]);
  });

  it('whose ssh-agent is a wrapper, post ends it all the same', async () => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    const agent = (await stage.job({ env: {} }).run('command -v ssh-agent')).log.trim();
    writeFileSync(join(bin, 'ssh-agent'), `#!/bin/sh\nexec ${agent} "$@" -t 3600\n`, { mode: 0o755 });
    const job = stage.job({
      env: { ...world.jobEnvironment(), PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });
    expect(told(await job.uses({ with: inputs() })).text).toBe('');
    const { leftoverProcesses } = await job.finish();
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
  });

  it.each([
    ['is not there', '/nowhere/at/all'],
    ['is a file', '/etc/hosts'],
    ['is relative', 'temp'],
    ['has a quote in its path', '/tmp/a"b'],
    ['has a variable of ssh in its path', '/tmp/a${HOME}'],
    ['has a backslash in its path that quotes', "/tmp/a\\'b"],
  ])('whose temporary folder %s: STATE_UNSAFE, and post succeeds', async (_, temp) => {
    const job = stage.job({ env: { ...world.jobEnvironment(), RUNNER_TEMP: temp } });
    const main = await job.uses({ with: inputs() });
    expect(told(main).code).toBe('STATE_UNSAFE');
    expect(told(main).text).toContain(`"${temp}"`);
    const { posts } = await job.finish();
    expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
  });

  it("a user's own ssh configuration neither keeps our key back nor lends its connection", async () => {
    const shared = join(folder, 'shared-%C');
    const lines = [
      'Host *',
      'IdentitiesOnly yes',
      'IdentityAgent none',
      'ControlMaster auto',
      `ControlPath ${shared}`,
    ];
    writeFileSync(join(folder, 'config'), [...lines, 'ControlPersist 60', ''].join('\n'));
    // ssh finds ~/.ssh/config by the account, not by HOME: an ssh that reads ours in its place.
    const bin = mkdtempSync(join(folder, 'bin-'));
    const ssh = (await stage.job({ env: {} }).run('command -v ssh')).log.trim();
    writeFileSync(join(bin, 'ssh'), `#!/bin/sh\nexec ${ssh} -F '${join(folder, 'config')}' "$@"\n`, {
      mode: 0o755,
    });
    const job = stage.job({
      env: { ...world.jobEnvironment(), PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    });
    await job.uses({ with: inputs() });
    expect((await job.run(clone())).log).toContain('cloned');
    expect(readdirSync(folder).filter((name) => name.startsWith('shared-'))).toEqual([]);
  });

  it('post puts back what the use replaced, and what was not set no longer leads to the agent', async () => {
    const before = { SSH_AUTH_SOCK: '/run/other-agent', GIT_SSH_COMMAND: 'ssh -v' };
    const job = stage.job({ env: world.jobEnvironment() });
    await job.run(
      Object.entries(before)
        .map(([name, value]) => `echo "${name}=${value}" >> "$GITHUB_ENV"`)
        .join('\n'),
    );
    await job.uses({ with: inputs() });
    const { posts } = await job.finish();
    expect(posts[0]?.env).toEqual({ ...before, SSH_AGENT_PID: '', GIT_SSH_VARIANT: 'ssh' });
    expect((await job.run('echo "$SSH_AUTH_SOCK $GIT_SSH_COMMAND"')).log).toBe('/run/other-agent ssh -v\n');
  });

  it('git works on after post as it did before where nothing was set', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    await job.uses({ with: inputs() });
    await job.finish();
    const { log } = await job.run(`${clone()} || true`);
    expect(log).not.toContain('cloned');
    expect(log).toMatch(/Host key verification failed|Permission denied/);
  });

  it('used twice, each post ends its own agent, in reverse order', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const first = await job.uses({ with: inputs() });
    const second = await job.uses({ with: inputs() });
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts[0]?.env['SSH_AUTH_SOCK']).toBe(first.env['SSH_AUTH_SOCK']);
    expect(second.env['SSH_AUTH_SOCK']).not.toBe(first.env['SSH_AUTH_SOCK']);
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
  });

  it('does not keep the step open by what goes on after it', async () => {
    const main = await stage.job({ env: world.jobEnvironment() }).uses({ with: inputs() });
    expect(main.outputHeld).toBe(false);
  });

  it('the agent forgets the keys when their lifetime is over', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    await job.uses({ with: inputs({ 'key-lifetime': '1s' }) });
    expect((await job.run('sleep 2; ssh-add -l || true')).log).toContain('The agent has no identities.');
  });

  it('a host whose key is not known is refused', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    await job.uses({ with: inputs({ 'known-hosts': '' }) });
    const { log, outcome } = await job.run(clone());
    expect(outcome).toBe('failure');
    expect(log).toContain('Host key verification failed.');
  });

  it('a host that is known by another key is refused, with accept-new too', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const [host = ''] = stage.host.knownHosts.split(' ');
    const other = stage.key.publicKey.split(' ').slice(0, 2).join(' ');
    await job.uses({
      with: inputs({ 'known-hosts': `${host} ${other}`, 'strict-host-key-checking': 'accept-new' }),
    });
    expect((await job.run(`${clone()} || true`)).log).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
  });

  it.each(['accept-new', 'no'])(
    'a new host is accepted with %s, and remembered for the job only',
    async (mode) => {
      const job = stage.job({ env: world.jobEnvironment() });
      await job.uses({ with: inputs({ 'known-hosts': '', 'strict-host-key-checking': mode }) });
      expect((await job.run(clone())).log).toContain('cloned');
      await job.finish();
      expect(job.files()).toEqual([]);
    },
  );

  it('the program ssm-ssh is ssh: the same output and the same exit code', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    await job.uses({ with: inputs() });
    const { user, address, port } = stage.host;
    const { log } = await job.run(
      `exec 2>&1; ssm-ssh -V; ssm-ssh -p ${String(port)} ${user}@${address} || echo "exit $?"`,
    );
    expect(log).toMatch(/^OpenSSH_/);
    expect(log).toContain('Hi acme/lib!');
    expect(log).toContain('exit 1\n');
  });

  it('whose temporary folder is a link, everything is found and removed', async () => {
    const real = join(folder, 'real');
    mkdirSync(real);
    symlinkSync(real, join(folder, 'link'));
    const job = stage.job({ env: { ...world.jobEnvironment(), RUNNER_TEMP: join(folder, 'link') } });
    const main = await job.uses({ with: inputs() });
    expect(readdirSync(real)).toEqual([basename(main.paths[0]?.replace(/\/bin$/, '') ?? '')]);
    expect((await job.run(clone())).log).toContain('cloned');
    await job.finish();
    expect(readdirSync(real)).toEqual([]);
  });
});
