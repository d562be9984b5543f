/** What a job's ssm-ssh does for repositories that no key of the action names, and ssm-ssh-agent on the PATH of a job. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { launchInstance, INSTANCE_ROLE } from '../support/ec2-host.ts';
import { describeOnHost } from '../support/on-host.ts';
import type { Job, JobOptions } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { actionPath, repository, told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';
import { programsNode } from '../support/programs-node.ts';

/** All that the scripts of a host without Node start. */
const programs =
  'git ssh ssh-add ssh-agent sh bash env ls ps id cat rm mv mkdir chmod find date sleep sed tr setsid flock dirname readlink';

const noNode = 'if command -v node; then exit 1; fi';

describeOnHost('in a job on a host that has keys, too', () => {
  const stage = useStage();
  let folder: string;
  let tools: SshKey;
  let world: ReadyWorld;
  let job: Job;
  /** Of the calls at AWS: those of the action. */
  let seen: number;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'beyond-'));
    mkdirSync(join(folder, 'bin'));
    for (const name of programs.split(' ')) {
      const path = execFileSync('sh', ['-c', `command -v ${name} || true`], { encoding: 'utf8' }).trim();
      if (path) symlinkSync(path, join(folder, 'bin', name));
    }
    tools = await makeSshKey();
    await stage.host.createRepository('acme/tools');
    stage.host.addDeployKey({ repository: 'acme/tools', publicKey: tools.publicKey });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    world = await startReadyWorld();
    launchInstance(world);
    world.put('/ci/lib', stage.key.privateKey);
    world.put('/ci/tools', tools.privateKey);
    job = newJob();
  });
  afterEach(async () => {
    await job.run('ssm-ssh-agent flush');
    const { leftoverProcesses } = await job.finish();
    expect(leftoverProcesses).toEqual([]);
    await world.stop();
  });

  const newJob = (options: Partial<JobOptions> = {}): Job => {
    const env = { ...world.aws.environment({ metadata: true }), ...world.aws.actionsEnvironment() };
    return stage.job({ env: { ...env, PATH: join(folder, 'bin'), GIT_CONFIG_NOSYSTEM: '1' }, ...options });
  };
  const place = (name: string): string => `${stage.host.address}:${String(stage.host.port)}/${name}`;
  const use = async (keys: string, more: Readonly<Record<string, string>> = {}): Promise<void> => {
    const inputs = { 'aws-region': REGION, 'role-to-assume': ROLE_ARN, 'known-hosts': stage.host.knownHosts };
    const main = await job.uses({ with: { keys, ...inputs, ...more } });
    expect(told(main).text).toBe('');
    seen = world.aws.calls.length;
  };
  const configure = (...lines: readonly string[]): void => {
    writeFileSync(join(job.home, '.gitconfig'), `${lines.join('\n')}\n`);
  };
  const list = async (name: string, env: Readonly<Record<string, string>> = {}): Promise<string> =>
    (await job.run(`${noNode}; git ls-remote ${stage.host.url(name)} main || true`, { env })).log;
  const lastOffered = async (): Promise<readonly string[] | undefined> =>
    (await stage.host.log()).at(-1)?.offered;
  /** Who read which parameter in the steps. */
  const reads = (): unknown[] =>
    world.aws.calls
      .slice(seen)
      .filter(({ operation }) => operation === 'ssm:GetParameter')
      .map(({ roleArn, region, parameters }) => [roleArn, region, parameters['Name']]);

  it('a section that names the repository takes precedence over a default key of the action, by the role of the instance', async () => {
    await use('/ci/lib');
    configure(`[ssm "${place('acme/tools')}"]`, 'key = /ci/tools');
    expect(await list('acme/tools')).toContain('refs/heads/main');
    expect([reads(), await lastOffered()]).toEqual([
      [[INSTANCE_ROLE, REGION, '/ci/tools']],
      [tools.fingerprint],
    ]);
    expect(await list(repository)).toContain('refs/heads/main');
    expect([reads().length, await lastOffered()]).toEqual([1, [stage.key.fingerprint]]);
  });

  it('a key of the action that names the repository takes precedence over everything', async () => {
    await use(`/ci/tools ${place('acme/tools')}`);
    configure(`[ssm "${place('acme/tools')}"]`, 'key = /ci/lib', '[core]', 'sshCommand = false');
    expect(await list('acme/tools', { SSM_SSH_KEY: '/ci/lib' })).toContain('refs/heads/main');
    expect(reads()).toEqual([]);
  });

  it('SSM_SSH_KEY serves what no key of the action does, and no repository that has an ssh command', async () => {
    await use(`/ci/lib ${place(repository)}`);
    const env = { SSM_SSH_KEY: '/ci/tools' };
    expect(await list('acme/tools')).toContain('Permission denied');
    expect(await list('acme/tools', env)).toContain('refs/heads/main');
    expect(reads()).toEqual([[INSTANCE_ROLE, REGION, '/ci/tools']]);
    configure('[core]', 'sshCommand = echo theirs >&2; false');
    expect(await list('acme/tools', env)).toContain('theirs');
  });

  it('a default key of the action takes precedence over SSM_SSH_KEY', async () => {
    await use('/ci/lib');
    expect(await list(repository, { SSM_SSH_KEY: '/ci/tools' })).toContain('refs/heads/main');
    expect(reads()).toEqual([]);
  });

  it('says so, and goes on, where the action cannot be read and SSM_SSH_KEY would be next', async () => {
    const installed = join(folder, 'installed');
    for (const name of ['action.yml', 'dist', 'helper', 'package.json'])
      cpSync(join(actionPath, name), join(installed, name), { recursive: true });
    job = newJob({ actionPath: installed });
    await use(`/ci/lib ${place(repository)}`);
    const { log: version } = await job.run('ssm-ssh-agent --version');
    expect(version).toMatch(/^ssm-ssh-agent \d/);
    execFileSync('mv', [installed, join(folder, 'elsewhere')]);
    const env = { SSM_SSH_KEY: '/ci/tools' };
    const message = `ssm-ssh: SSM_SSH_KEY and the keys of git's configuration are passed over: the action, ${installed}, is not here\n`;
    const beyond = await list('acme/tools', env);
    expect([beyond.split(message).length, beyond]).toEqual([2, expect.stringContaining('Permission denied')]);
    expect(await list(repository, env)).not.toContain(message);
    const { log } = await job.run('ssm-ssh-agent --version 2>&1 || echo "exit $?"');
    expect(log).toMatch(/^ssm-ssh-agent: INTERNAL: .*\nhint: .*docs\/install\.md\nexit 1\n$/);
    execFileSync('mv', [join(folder, 'elsewhere'), installed]);
  });

  it("says so, and offers the job's key, where no Node can read the keys of git's configuration", async () => {
    await use('/ci/lib');
    configure('[ssm "other.example"]', 'key = /ci/tools');
    const log = await list(repository, { SSM_SSH_NODE: '/nonexistent' });
    expect(log).toMatch(/refs\/heads\/main/);
    expect(log).toMatch(
      /^ssm-ssh: warning: keys of git's configuration are passed over: ssm-ssh: INPUT_INVALID: SSM_SSH_NODE .*\nhint: set it/m,
    );
    expect(await list(repository)).not.toContain('warning');
  });

  it('ssm-ssh-agent is on PATH, needs no Node there, and exec leaves the keys of the job reachable', async () => {
    await use(`/ci/lib ${place(repository)}`);
    const commands = ['acme/tools', repository].map((name) => `git ls-remote ${stage.host.url(name)} main`);
    const known = join(folder, 'known_hosts');
    writeFileSync(known, stage.host.knownHosts);
    const { log, outcome } = await job.run(
      `${noNode}; ssm-ssh-agent exec --known-hosts ${known} --key /ci/tools -- sh -c '${commands.join(' && ')}'`,
    );
    expect([outcome, log.match(/refs\/heads\/main/g)?.length]).toEqual(['success', 2]);
    expect(await lastOffered()).toEqual([stage.key.fingerprint]);
    expect(job.processes().filter(({ command }) => command.includes('ssm-ssh-agent-exec-'))).toEqual([]);
  });

  it('says what to do where a key of exec, or of the action, has left its agent', async () => {
    await use('/ci/lib');
    const connect = `ssm-ssh ${stage.host.address}`;
    const { log } = await job.run(
      `ssm-ssh-agent exec --key /ci/tools -- sh -c 'ssh-add -qD; ${connect}' || true; ssh-add -qD; ${connect} || true`,
    );
    expect(log.match(/^hint: .*$/gm)).toEqual([
      'hint: its lifetime is over: give exec a longer --lifetime, or leave it out',
      'hint: its lifetime is over: raise key-lifetime, or use the action again before this step',
    ]);
  });

  it('the action notes where it is, and no secret', async () => {
    await use('/ci/lib');
    const noted = job.files().find(({ path }) => path.endsWith('/installation'));
    expect(noted?.mode).toBe(0o600);
    expect(readFileSync(noted?.path ?? '', 'utf8')).toBe(`${actionPath}\n${programsNode}\n${REGION}\n`);
  });
});
