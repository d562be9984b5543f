import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { join } from 'node:path';
import { createCertificates, type Certificates } from '../../support/aws/wire/certificates.ts';
import { startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance, project, type Ran } from '../../support/ec2-host.ts';
import { startGitHubApi } from '../../support/github/github-api.ts';
import { startHttpsGitHost, type HttpsGitHost } from '../../support/git-host/https-git.ts';
import { itInTurn as it } from '../../support/parts.ts';

const helper = join(project, 'helper/git-credential-ssm');
const token = 'ghp_0123456789abcdefghij';

describe('git-credential-ssm on a host', () => {
  let certificates: Certificates;
  let git: HttpsGitHost;
  let other: HttpsGitHost;
  let world: ReadyWorld;
  let host: Ec2Host;

  beforeAll(async () => {
    certificates = await createCertificates();
    [git, other] = await Promise.all([startHttpsGitHost(certificates), startHttpsGitHost(certificates)]);
    await Promise.all([
      git.createRepository('acme/lib'),
      git.createRepository('tools/one'),
      other.createRepository('acme/lib'),
    ]);
  });
  afterAll(async () => {
    await Promise.all([git.stop(), other.stop(), certificates.remove()]);
  });
  beforeEach(async () => {
    world = await startReadyWorld();
    launchInstance(world);
    world.put('/ci/token', token);
    host = new Ec2Host(world, [], { GIT_SSL_CAINFO: certificates.caFile });
    for (const server of [git, other]) {
      server.letIn('x-access-token', token);
      server.redirectTo(undefined);
      (server.log as unknown[]).length = 0;
    }
  });
  afterEach(async () => {
    host.dispose();
    await world.stop();
  });

  const configure = (...lines: string[]): void => {
    host.configure(['[credential]', `helper = ${helper}`, 'useHttpPath = true', ...lines]);
  };
  const section = (place: string, ...lines: string[]): string[] => [`[ssm "${place}"]`, ...lines];
  const forAcme = (...lines: string[]): void => {
    configure(...section(`${git.place}/acme`, 'credential = /ci/token', ...lines));
  };
  const clone = (server = git, into = 'it'): Promise<Ran> =>
    host.run(`git clone --quiet ${server.url('acme/lib')} ${into}`);
  const calls = (): string[] =>
    world.aws.calls.filter(({ service }) => service !== 'imds').map(({ operation }) => operation);
  const sent = (server: HttpsGitHost): (string | undefined)[] => server.log.map((entry) => entry.sent);
  it("clones and pushes with a token, read with the instance's role", async () => {
    forAcme();
    const { code, stderr } = await host.run(
      `git clone -q ${git.url('acme/lib')} it && cd it && git commit -q --allow-empty -m x && git push -q`,
    );
    expect([stderr, code]).toEqual(['', 0]);
    expect(new Set(calls())).toEqual(new Set(['ssm:GetParameter']));
    expect(git.log.filter(({ status }) => status === 200).map((entry) => entry.sent)).toContain(
      `x-access-token:${token}`,
    );
  });

  it('does not answer another host', async () => {
    forAcme();
    const { code } = await clone(other);
    expect(code).toBe(128);
    expect([sent(other), calls()]).toEqual([[undefined], []]);
  });

  it('does not answer the host of a redirect', async () => {
    forAcme();
    git.redirectTo(`https://${other.place}`);
    const { code } = await clone();
    expect(code).toBe(128);
    expect([sent(git), sent(other), calls()]).toEqual([[undefined], [undefined], []]);
  });

  it('does not answer the host of a submodule', async () => {
    forAcme();
    const submodule = `git config -f .gitmodules submodule.x.path x && git config -f .gitmodules submodule.x.url ${other.url('acme/lib')}
      git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),x && git add .gitmodules && git commit -qm submodule`;
    const ran = await host.run(`git clone -q ${git.url('acme/lib')} it && cd it && ${submodule}
      git submodule update --init || echo refused`);
    expect(ran.stdout).toMatch(/refused\n$/);
    expect(other.log.length).toBeGreaterThan(0);
    expect(new Set(sent(other))).toEqual(new Set([undefined]));
  });

  it('gives each repository the credential of its section', async () => {
    world.put('/ci/tools', '{"username": "deploy", "password": "p w=d"}');
    configure(
      ...section(`${git.place}/acme`, 'credential = /ci/token'),
      ...section(`https://${git.place}/tools/one.git`, 'credential = /ci/tools'),
    );
    expect((await clone()).code).toBe(0);
    git.letIn('deploy', 'p w=d');
    const { code, stderr } = await host.run(`git clone -q ${git.url('tools/one')} one`);
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('asks AWS once for many commands with git credential-cache', async () => {
    const cache = `cache --timeout 60 --socket ${host.home}/cache/socket`;
    host.configure([
      ...['[credential]', `helper = ${cache}`, `helper = ${helper}`, 'useHttpPath = true'],
      ...section(`${git.place}/acme`, 'credential = /ci/token'),
    ]);
    await clone();
    const { code } = await host.run('cd it && git fetch && git fetch');
    await host.run(`git credential-cache --socket ${host.home}/cache/socket exit`);
    expect([code, calls()]).toEqual([0, ['ssm:GetParameter']]);
  });

  it('answers git-lfs like its repository', async () => {
    configure(...section(`${git.place}/acme/lib`, 'credential = /ci/token'));
    const { stdout } = await host.run(
      `printf '%b' 'protocol=https\\nhost=${git.place}\\npath=acme/lib.git/info/lfs\\n\\n' | git credential fill`,
    );
    expect(stdout).toContain(`password=${token}\n`);
  });

  it('creates a token of a GitHub App for the repository, with its expiry', async () => {
    const github = await startGitHubApi();
    const app = github.createApp();
    github.install(app, { owner: 'acme', repositories: ['lib', 'tools'] });
    world.put('/ci/token', app.stored());
    forAcme();
    const asked = `protocol=https\\nhost=${git.place}\\npath=acme/lib.git\\n\\n`;
    const { stdout, stderr } = await host.run(`printf '%b' '${asked}' | ${helper} get`);
    const [issued] = github.tokens;
    await github.stop();
    expect(stderr).toBe('');
    const [, name, password, expiry] =
      /^username=(.*)\npassword=(.*)\npassword_expiry_utc=(\d+)\n$/.exec(stdout) ?? [];
    expect([name, password]).toEqual(['x-access-token', issued?.token]);
    expect(Number(expiry) * 1000).toBeGreaterThan(Date.now());
    expect(github.opens(password ?? '', 'acme/lib', 'write')).toBe(true);
    expect(github.opens(password ?? '', 'acme/tools', 'read')).toBe(false);
  });

  it('lets git use its next helper if the credential has expired', async () => {
    world.put('/ci/token', JSON.stringify({ password: token, password_expiry_utc: 1_700_000_000 }));
    git.letIn('me', 'from-the-next');
    const next = `!f() { echo username=me; echo password=from-the-next; }; f`;
    host.configure([
      ...['[credential]', `helper = ${helper}`, `helper = "${next}"`, 'useHttpPath = true'],
      ...section(`${git.place}/acme`, 'credential = /ci/token'),
    ]);
    const { code, stderr } = await clone();
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^git-credential-ssm: CREDENTIAL_INVALID: \/ci\/token expired at 2023-11-14T22:13:20.000Z\nhint: .*\n$/,
    );
    expect(sent(git)).not.toContain(`x-access-token:${token}`);
  });
});
