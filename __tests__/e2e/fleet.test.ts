/** The document of examples/cloudformation/fleet.yml, run like Systems Manager runs it: a script file, by sh, as a service. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { makeStack } from '../support/cloudformation.ts';
import { itWith } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';
import { nextVersion, startReleases, version, type Releases } from '../support/releases.ts';
import { openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { repository, useStage } from './stage.ts';

interface Document {
  readonly mainSteps: readonly { readonly inputs: { readonly runCommand: readonly string[] } }[];
}

const { Content } = makeStack('fleet', { Version: version, Sha256: '0'.repeat(64), Keys: '/ci/key' })
  .resources['Document']?.properties as { Content: Document };
const commands = Content.mainSteps.flatMap(({ inputs }) => inputs.runCommand).join('\n');

/** All programs on the PATH of the instance, beside Node. */
const tools = [
  'cat',
  'curl',
  'git',
  'gzip',
  'ln',
  'mkdir',
  'mktemp',
  'mv',
  'readlink',
  'rm',
  'sh',
  'sha256sum',
  'ssh',
  'tar',
];

describe('the commands of the document', () => {
  itWith('shellcheck')('are clean under shellcheck', () => {
    // Where Systems Manager puts a parameter is text in quotes.
    const input = `#!/bin/sh\n${commands.replaceAll(/\{\{ (\w+) \}\}/g, '$1')}`;
    const { stdout } = spawnSync('shellcheck', ['-s', 'sh', '-'], { input, encoding: 'utf8' });
    expect(stdout).toBe('');
  });
});

describe('an instance of a fleet', () => {
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
    const bin = join(host.folder, 'bin');
    mkdirSync(bin);
    for (const name of tools) symlinkSync(pathOf(name), join(bin, name));
    symlinkSync(process.execPath, join(bin, 'node'));
  });
  afterEach(async () => {
    await host
      .start([place('/usr/local/bin/ssm-ssh-agent'), 'flush'], { env: { PATH: process.env['PATH'] ?? '' } })
      .ended.catch(() => undefined);
    await host.close();
  });

  const pathOf = (program: string): string =>
    spawnSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
  /** Where the host's own folder stands for the root of the disk. */
  const place = (path: string): string => join(host.folder, 'root', path);

  interface Wish {
    readonly release?: string;
    readonly sha256?: string;
    readonly keys?: string;
    readonly region?: string;
    readonly shell?: readonly string[];
    /** Programs that the instance does not have. */
    readonly without?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  }
  /** One run of the association. */
  const run = async (wish: Wish = {}): Promise<Ended> => {
    const { release = version, keys = '/ci/deploy-key', region = '', shell = ['sh'], without = [] } = wish;
    const values: Readonly<Record<string, string>> = {
      ...{ Version: release, Sha256: wish.sha256 ?? releases.checksum(release) },
      ...{ Keys: keys, KeyRegion: region, ReleaseUrl: releases.origin },
    };
    const text = commands
      .replaceAll(/\{\{ (\w+) \}\}/g, (_, name: string) => values[name] ?? '')
      .replaceAll(/(?<=[ =])\/(opt|var\/lib|usr\/local)\//g, place('/$1/'));
    const script = join(host.folder, '_script.sh');
    writeFileSync(script, text);
    chmodSync(script, 0o700);
    const bin = join(host.folder, 'bin');
    for (const name of without) rmSync(join(bin, name));
    const env = { PATH: bin, ...wish.env };
    // The SSM agent is a service: it has no HOME.
    return await host.start(['/usr/bin/env', '-u', 'HOME', ...shell, script], { env }).ended;
  };
  const git = async (args: string): Promise<Ended> =>
    await host.start(['sh', '-c', `git ${args}`], {
      env: { SSM_SSH_KNOWN_HOSTS: join(host.folder, 'known_hosts') },
    }).ended;
  const saidVersion = async (): Promise<string> =>
    (await host.start([place('/usr/local/bin/ssm-ssh-agent'), '--version']).ended).stdout;
  const keysOf = async (): Promise<string[]> =>
    (await git('config --system --get-regexp "^ssm[.].*key$"')).stdout.trim().split('\n');
  /** Each file with its time and its text's length, links with what they lead to. */
  const disk = (): string[] => {
    const files = readdirSync(join(host.folder, 'root'), { recursive: true, encoding: 'utf8' });
    return [...files.map((file) => join(host.folder, 'root', file)), host.env['GIT_CONFIG_SYSTEM'] ?? ''].map(
      (path) => {
        const { mtimeNs, ino, size } = statSync(path, { bigint: true });
        return [path, mtimeNs, ino, size].join(' ');
      },
    );
  };

  it('has ssm-ssh after the first run, clones with it, and is unchanged by the second run', async () => {
    const first = await run();
    expect([first.stderr, first.exitCode]).toEqual(['', 0]);
    expect(first.stdout).toBe(
      `installed ssm-ssh ${version}\ngit reads its keys from Parameter Store: --system;--key;/ci/deploy-key\n`,
    );
    writeFileSync(join(host.folder, 'known_hosts'), stage.host.knownHosts);
    const cloned = await git(`clone --quiet ${stage.host.url(repository)} lib`);
    expect([cloned.stderr, cloned.exitCode]).toEqual(['', 0]);
    const before = disk();
    const downloads = releases.asked.length;
    const second = await run();
    expect([second.stderr, second.exitCode]).toEqual(['', 0]);
    expect(second.stdout).toMatch(new RegExp(`^ssm-ssh ${version} is installed already\n`));
    expect(disk()).toEqual(before);
    expect(releases.asked.length).toBe(downloads);
  });

  it('is updated in the same place by another version, and keeps its set-up', async () => {
    await run();
    const settings = await keysOf();
    const { exitCode, stderr } = await run({ release: nextVersion });
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect([await saidVersion(), await keysOf()]).toEqual([`ssm-ssh-agent ${nextVersion}\n`, settings]);
    expect(readdirSync(place('/opt'))).toEqual(['ssm-ssh-agent']);
    const command = (await git('config --system core.sshCommand')).stdout.trim();
    expect(command).toBe(place('/opt/ssm-ssh-agent/helper/ssm-ssh'));
  });

  it('has the keys and the Region of the association, and no others after a change', async () => {
    await run({ keys: '/ci/lib-key github.com/acme/lib;  /ci/user-key;', region: 'eu-central-1' });
    expect((await keysOf()).sort()).toEqual([
      'ssm.github.com/acme/lib.key /ci/lib-key',
      'ssm.key /ci/user-key',
    ]);
    expect((await git('config --system ssm.region')).stdout).toBe('eu-central-1\n');
    const { exitCode, stderr } = await run({ keys: '/ci/tools-key github.com/acme/tools' });
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(await keysOf()).toEqual(['ssm.github.com/acme/tools.key /ci/tools-key']);
    expect((await git('config --system ssm.region')).stdout).toBe('');
  });

  it('is repaired if somebody took out the set-up or a link', async () => {
    await run();
    rmSync(place('/usr/local/bin/ssm-ssh'));
    rmSync(host.env['GIT_CONFIG_SYSTEM'] ?? '');
    const { exitCode } = await run();
    expect([exitCode, await keysOf()]).toEqual([0, ['ssm.key /ci/deploy-key']]);
    expect(existsSync(place('/usr/local/bin/ssm-ssh'))).toBe(true);
  });

  itWith('bash')('works with bash as sh', async () => {
    symlinkSync(pathOf('bash'), join(host.folder, 'bin/bash'));
    const { exitCode, stderr } = await run({ shell: ['bash', '--posix'] });
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect((await run({ shell: ['bash', '--posix'] })).exitCode).toBe(0);
  });

  it.each([
    ['git', /^ssm-ssh fleet: git is missing\. Install git, OpenSSH's client, /],
    ['ssh', /^ssm-ssh fleet: ssh is missing\. Install /],
  ])('fails without %s, and says so', async (program, message) => {
    const { exitCode, stderr } = await run({ without: [program] });
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(existsSync(place('/opt'))).toBe(false);
  });

  it('fails without Node, says so, and keeps what was there', async () => {
    // On the machine of the tests the launcher finds another Node. A file that is none is tried alone.
    writeFileSync(join(host.folder, 'no-node'), '');
    const node = { SSM_SSH_NODE: join(host.folder, 'no-node') };
    const { exitCode, stderr } = await run({ env: node });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /ssm-ssh-agent: INPUT_INVALID: .*Node 20 or newer.*\nhint: .*\nssm-ssh fleet: .* needs Node 20 or newer/,
    );
    expect(readdirSync(place('/opt'))).toEqual([]);
  });

  it.each([
    ['the checksum is another one', { sha256: 'f'.repeat(64) }, /another checksum than the parameter Sha256/],
    [
      'there is no such release',
      { release: '1.2.3', sha256: 'f'.repeat(64) },
      /cannot download http:.*\/v1\.2\.3\//,
    ],
  ])('keeps the version that it has if %s', async (_, wish: Wish, message) => {
    await run();
    const before = disk();
    const { exitCode, stderr } = await run(wish);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect(disk().filter((line) => !before.includes(line) && !line.startsWith(`${place('/opt')} `))).toEqual(
      [],
    );
    expect(readdirSync(place('/opt'))).toEqual(['ssm-ssh-agent']);
    expect(await saidVersion()).toBe(`ssm-ssh-agent ${version}\n`);
  });
});
