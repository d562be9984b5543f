import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance, program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { itInTurn as it } from '../../support/parts.ts';

const repositories = ['acme/lib', 'acme/lib-extra'] as const;

describeOnHost('ssm-ssh on a host', () => {
  let world: ReadyWorld;
  let git: GitHost;
  let keys: readonly SshKey[];
  let host: Ec2Host;

  beforeAll(async () => {
    [git, keys] = await Promise.all([startGitHost(), Promise.all(repositories.map(() => makeSshKey()))]);
    for (const [index, repository] of repositories.entries()) {
      await git.createRepository(repository);
      git.addDeployKey({ repository, publicKey: keys[index]?.publicKey ?? '', write: true });
    }
  });
  afterAll(async () => {
    await git.stop();
  });
  beforeEach(async () => {
    world = await startReadyWorld();
    launchInstance(world);
    for (const [index, key] of keys.entries()) world.put(`/ci/key-${index}`, key.privateKey);
    host = new Ec2Host(world, [git], { SSM_SSH_KEY: '/ci/key-0' });
    host.configure([]);
  });
  afterEach(async () => {
    host.dispose();
    await world.stop();
  });

  const place = (): string => `${git.address}:${String(git.port)}`;
  const clone = (repository: string = repositories[0], into = 'it'): string =>
    `git clone --quiet ${git.url(repository)} ${into}`;
  const calls = (): string[] =>
    world.aws.calls.filter(({ service }) => service === 'ssm').map(({ operation }) => operation);
  const inSections = (): void => {
    delete host.env['SSM_SSH_KEY'];
    host.configure(
      repositories.flatMap((repository, index) => [
        `[ssm "${place()}/${repository}"]`,
        `key = /ci/key-${index}`,
      ]),
    );
  };

  it("clones with the instance's role, pushes, and asks AWS once", async () => {
    const { code, stderr } = await host.run(
      `${clone()} && cd it && git commit -q --allow-empty -m x && git push -q && git fetch -q`,
    );
    expect([stderr, code]).toEqual(['', 0]);
    expect(calls()).toEqual(['ssm:GetParameter']);
  });

  it('finds the key of each repository in git’s configuration, also for submodules', async () => {
    inSections();
    const script = `${clone()} && cd it
      git submodule --quiet add ${git.url(repositories[1])} extra && git commit -qm sub && git push -q && cd ..
      git clone -q --recurse-submodules ${git.url(repositories[0])} again && cat again/extra/README.md`;
    const { stdout } = await host.run(script);
    expect(stdout).toBe('# acme/lib-extra\n');
    for (const { command = '', offered } of await git.log()) {
      const index = command.includes('lib-extra') ? 1 : 0;
      expect(offered).toEqual([keys[index]?.fingerprint]);
    }
  });

  it('uses plain ssh for repositories without a key', async () => {
    inSections();
    host.env['GIT_SSH_COMMAND'] = `${program} -o StrictHostKeyChecking=no`;
    const { stderr } = await host.run(`${clone('acme/tools')} || true`);
    expect(stderr).toContain('Permission denied');
    expect([calls(), host.processes()]).toEqual([[], []]);
  });

  it('ignores a section that names no repository, with a warning', async () => {
    host.configure(['[ssm "*/lib"]', 'key = /ci/key-1']);
    const { code, stderr } = await host.run(clone());
    expect(code).toBe(0);
    expect(stderr).toBe(
      `ssm-ssh: the section [ssm "*/lib"] of git's configuration names no repository: it is ignored\n`,
    );
  });

  it("uses a repository's own ssh command if no section names it", async () => {
    const { stderr } = await host.run(
      `${clone()} && cd it && git config core.sshCommand 'echo theirs >&2; false' && env -u GIT_SSH_COMMAND git -c core.sshCommand="$GIT_SSH_COMMAND" fetch || true`,
    );
    expect(stderr).toContain('theirs\n');
  });

  it('works while AWS is down, as long as the agent has the key', async () => {
    await host.run(clone());
    await world.aws.stop();
    const { code, stderr } = await host.run('cd it && git fetch');
    expect([stderr, code]).toEqual(['', 0]);
  });

  it.each([
    ['AWS is down', 'ssm:*', 'reset', 'NETWORK_UNREACHABLE', /meant to be the endpoint of ssm/],
    ['AWS hangs', 'ssm:*', 'hang', 'TIMEOUT', /raise ssm\.timeout/],
    ['the parameter is missing', '', 'reset', 'KEY_NOT_FOUND', /check the name/],
  ] as const)('reports on a cold host if %s', async (...[, operation, fault, code, hint]) => {
    if (operation) world.aws.faults.order({ operation, fault, times: 50 });
    else host.env['SSM_SSH_KEY'] = '/ci/nowhere';
    const ran = await host.run(clone(), { SSM_SSH_TIMEOUT: '4s' });
    expect(ran.code).toBe(128);
    expect(ran.stderr).toMatch(new RegExp(`^ssm-ssh: ${code}: .*\nhint: `));
    expect(ran.stderr).toMatch(hint);
    expect(ran.took).toBeLessThan(30_000);
  });

  it('reports the hop limit of the instance metadata in a container', async () => {
    const { aws } = world;
    aws.metadata.set({ region: 'eu-west-1', account: '111122223333', access: 'hop-limit' });
    const { stderr } = await host.run(clone(), { SSM_SSH_REGION: 'eu-west-1' });
    expect(stderr).toMatch(/^ssm-ssh: CREDENTIALS_MISSING: .*\nhint: .*hop limit of 2/);
  });

  it('fetches the key again after its lifetime', async () => {
    const settings = { SSM_SSH_KEY_LIFETIME: '6s' };
    await host.run(clone(), settings);
    await sleep(7000);
    await host.run(clone(repositories[0], 'again'), settings);
    expect(calls().length).toBe(2);
  });

  it('fetches and tries again if the key was removed from the agent', async () => {
    await host.run(clone());
    await host.run(`SSH_AUTH_SOCK=${host.state}/agent ssh-add -qD`);
    expect((await host.run('cd it && git fetch')).code).toBe(0);
    expect(calls().length).toBe(2);
  });

  it('fetches and tries again if the agent was killed', async () => {
    await host.run(clone());
    for (const { pid } of host.processes()) process.kill(pid, 'SIGKILL');
    expect((await host.run('cd it && git fetch')).code).toBe(0);
  });

  it('replaces a rotated key, once, and asks for it at most once a minute', async () => {
    await host.run(clone());
    const next = await makeSshKey();
    git.removeKey(keys[0]?.publicKey ?? '');
    const refused = await host.run('cd it && git fetch || true');
    expect(refused.stderr).toContain('Permission denied');
    expect(calls().length).toBe(2);
    await host.run('cd it && git fetch || true');
    expect(calls().length).toBe(2);
    world.put('/ci/key-0', next.privateKey);
    git.addDeployKey({ repository: repositories[0], publicKey: next.publicKey, write: true });
    await host.run(`find ${host.state} -name asked -exec touch -d '2 minutes ago' {} +`);
    const healed = await host.run('cd it && git fetch');
    expect(healed.code).toBe(0);
    expect(calls().length).toBe(3);
    const listed = await host.run(`SSH_AUTH_SOCK=${host.state}/agent ssh-add -l`);
    expect(
      listed.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[1]),
    ).toEqual([next.fingerprint]);
    git.removeKey(next.publicKey);
    git.addDeployKey({ repository: repositories[0], publicKey: keys[0]?.publicKey ?? '', write: true });
  });

  it('behaves like ssh for other commands: the same output and exit code', async () => {
    const { code, stderr } = await host.run(`${program} -p ${String(git.port)} ${git.user}@${git.address}`);
    expect(stderr).toContain('Hi acme/lib!');
    expect(code).toBe(1);
  });

  it('fetches nothing for git’s probe of the ssh command', async () => {
    const { code } = await host.run(`${program} -G -o SendEnv=GIT_PROTOCOL ${git.address}`);
    expect([code, calls(), host.processes()]).toEqual([0, [], []]);
  });

  it('keeps no key text in files, and no files that others can read', async () => {
    await host.run(clone());
    const body = (keys[0]?.privateKey ?? '').split('\n').slice(2, -2);
    for (const text of host.files().values()) for (const line of body) expect(text).not.toContain(line);
    const modes = await host.run(`find ${host.state} -perm /077`);
    expect(modes.stdout).toBe('');
  });
});
