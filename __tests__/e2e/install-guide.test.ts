import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { it as itInSample, itInTurn as it } from '../support/parts.ts';
import { nextVersion, startReleases, version, type Releases } from '../support/releases.ts';
import { openEc2Host, type Ec2Host } from './ec2-host.ts';
import { actionPath, repository, useStage } from './stage.ts';

const guide = readFileSync(join(actionPath, 'docs/install.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...guide.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, block = '']) => block);
/** The guide's block in which the words stand. */
const block = (words: string): string => blocks('sh').find((text) => text.includes(words)) ?? '';
const download = block('curl -fsSL -O');
const install = block('npm install --global ./');
const uninstall = block('npm uninstall');

describe('the guide to installing', () => {
  itInSample('names the version of the package, and so do the example of user data and the fleet', () => {
    const named = [...guide.matchAll(/\d+\.\d+\.\d+(?=\.tgz|\/|\n)/g)].map(([text]) => text);
    expect(new Set(named)).toEqual(new Set([version]));
    const userData = readFileSync(join(actionPath, 'examples/ec2/user-data.sh'), 'utf8');
    expect(userData).toContain(`VERSION:-${version}}`);
    const templates = readFileSync(join(actionPath, 'docs/templates.md'), 'utf8');
    expect(templates.match(/Version=[\d.]+/g)).toEqual([`Version=${version}`]);
  });
});

describe('a host, by the guide to installing', () => {
  const stage = useStage();
  let releases: Releases;
  let host: Ec2Host;

  beforeAll(async () => {
    releases = await startReleases();
  });
  afterAll(() => {
    releases.stop();
  });

  beforeEach(async () => {
    host = await openEc2Host();
    host.world.put('/ci/deploy-key', stage.key.privateKey);
    for (const name of ['bin', 'local']) mkdirSync(join(host.folder, name));
    writeFileSync(join(host.folder, 'bin/sudo'), '#!/bin/sh\nexec "$@"\n');
    chmodSync(join(host.folder, 'bin/sudo'), 0o755);
    writeFileSync(join(host.folder, 'known_hosts'), stage.host.knownHosts);
  });
  afterEach(async () => {
    await sh('ssm-ssh-agent flush');
    await host.close();
  });

  /** The lines, with a server of our own for GitHub's and folders of our own for the host's. */
  const sh = async (script: string, env: Record<string, string> = {}): ReturnType<Ec2Host['agent']> => {
    const here = script
      .replaceAll('/tmp/package.tgz', `${host.temp}/package.tgz`)
      .replaceAll(/https:\/\/github\.com\/[^/]+\/ssm-ssh-agent\/releases\/download/g, releases.origin)
      .replaceAll('/opt/', `${host.folder}/opt/`)
      .replaceAll('/usr/local/bin/', `${host.folder}/local/`);

    const prefix = join(host.folder, 'prefix');
    const path = [join(prefix, 'bin'), join(host.folder, 'local'), join(host.folder, 'bin')].join(':');
    const places = { NPM_CONFIG_PREFIX: prefix, PATH: `${path}:${host.env['PATH'] ?? ''}` };
    return await host.start(['bash', '-ec', here], { env: { ...places, ...env } }).ended;
  };
  const clone = (folder: string): string =>
    `git -c url."${stage.host.url(repository).replace(`${repository}.git`, '')}".insteadOf=git@github.com: ` +
    `clone --quiet git@github.com:acme/lib.git ${folder}`;
  const trust = (): Record<string, string> => ({ SSM_SSH_KNOWN_HOSTS: join(host.folder, 'known_hosts') });
  const saidVersion = async (): Promise<string> => (await sh('ssm-ssh-agent --version')).stdout;

  it('downloads, verifies and installs a release, is set up and clones, and upgrades in place', async () => {
    const downloaded = await sh(download);
    expect([downloaded.exitCode, downloaded.stdout]).toEqual([0, `ssm-ssh-agent-${version}.tgz: OK\n`]);
    const installed = await sh(install);
    expect([installed.exitCode, installed.stdout]).toEqual([
      0,
      expect.stringContaining(`ssm-ssh-agent ${version}`),
    ]);
    expect((await sh(block('setup --system --key').split('\n').slice(1).join('\n'))).exitCode).toBe(0);
    const first = await sh(clone('first'), trust());
    expect([first.stderr, first.exitCode]).toEqual(['', 0]);
    for (const lines of [download, install]) {
      const upgraded = await sh(lines.replaceAll(version, nextVersion));
      expect(upgraded.exitCode).toBe(0);
    }
    expect(await saidVersion()).toBe(`ssm-ssh-agent ${nextVersion}\n`);
    const second = await sh(clone('second'), trust());
    expect([second.stderr, second.exitCode]).toEqual(['', 0]);
    const reads = host.world.aws.calls.filter(({ operation }) => operation === 'ssm:GetParameter');
    expect(reads).toHaveLength(1);
  });

  it('leaves nothing on the host when it is uninstalled', async () => {
    await sh(download);
    await sh(install);
    await sh(block('setup --system --key').split('\n').slice(1).join('\n'));
    const gone = await sh(uninstall);
    expect([gone.stderr.match(/^ssm-ssh-agent: [A-Z_]+: .*/m), gone.exitCode]).toEqual([null, 0]);
    const { stdout } = await sh('command -v ssm-ssh-agent ssm-ssh git-credential-ssm || true');
    expect(stdout).toBe('');
    expect((await sh('git config --system --list || true')).stdout).toBe('');
    expect(existsSync(join(host.folder, 'prefix/lib/node_modules/ssm-ssh-agent'))).toBe(false);
  });

  it('refuses a download that is damaged, before it is installed', async () => {
    const damaged = download.replace('sha256sum', 'echo more >>"ssm-ssh-agent-$version.tgz"; sha256sum');
    expect(damaged).not.toBe(download);
    const { exitCode, stdout } = await sh(damaged);
    expect([exitCode === 0, stdout]).toEqual([false, `ssm-ssh-agent-${version}.tgz: FAILED\n`]);
  });

  it("is installed in one line from the release's address", async () => {
    const { exitCode } = await sh(blocks('sh')[0] ?? '');
    expect([exitCode, await saidVersion()]).toEqual([0, `ssm-ssh-agent ${version}\n`]);
  });

  it('works without npm, from an unpacked tarball', async () => {
    await sh(download);
    const { exitCode, stderr } = await sh(block('--strip-components=1'));
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(await saidVersion()).toBe(`ssm-ssh-agent ${version}\n`);
    const trusted = '--known-hosts known_hosts';
    const ran = await sh(`ssm-ssh-agent exec --key /ci/deploy-key ${trusted} -- ${clone('lib')}`);
    expect([ran.stderr, ran.exitCode]).toEqual(['', 0]);
  });

  it('moves to another place when it is set up again from there', async () => {
    const setUp = block('setup --system --key').split('\n').slice(1).join('\n');
    for (const lines of [download, install, setUp, block('--strip-components=1')])
      expect((await sh(lines)).exitCode).toBe(0);
    await sh('npm uninstall --global ssm-ssh-agent');
    const broken = await sh(clone('broken'), trust());
    expect(broken.exitCode).not.toBe(0);
    const again = await sh(setUp);
    expect([again.stderr.match(/^ssm-ssh-agent: [A-Z_]+: .*/m), again.exitCode]).toEqual([null, 0]);
    const moved = await sh(clone('moved'), trust());
    expect([moved.stderr, moved.exitCode]).toEqual(['', 0]);
  });

  it('is packed from a checkout into the file that a release has', async () => {
    const checkout = join(host.folder, 'checkout');
    for (const name of ['package.json', 'dist', 'helper', 'docs', 'examples', 'README.md', 'LICENSE'])
      cpSync(join(actionPath, name), join(checkout, name), { recursive: true });
    const { exitCode } = await sh(`cd ${checkout} && npm pack --silent && npm install --global ./*.tgz`);
    expect([exitCode, await saidVersion()]).toEqual([0, `ssm-ssh-agent ${version}\n`]);
  });

  it('is installed in an image by the lines of the Dockerfile, for the checksum that was written down', async () => {
    const [dockerfile = ''] = blocks('dockerfile');
    const [, run = ''] = /^RUN (.*)/ms.exec(dockerfile) ?? [];
    const VERSION = /^ARG VERSION=(.*)$/m.exec(dockerfile)?.[1] ?? '';
    const another = await sh(run, { VERSION, SHA256: '0'.repeat(64) });
    expect([another.exitCode === 0, existsSync(join(host.folder, 'prefix'))]).toEqual([false, false]);
    const { exitCode } = await sh(run, { VERSION, SHA256: releases.checksum(version) });
    expect([exitCode, await saidVersion()]).toEqual([0, `ssm-ssh-agent ${version}\n`]);
  });
});
