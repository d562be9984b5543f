import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host } from './ec2-host.ts';
import { actionPath } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';
import { isThere, relativeLinks } from '../support/markdown-links.ts';

const { version } = JSON.parse(readFileSync(join(actionPath, 'package.json'), 'utf8')) as { version: string };

/** The Nodes of this machine: the one that runs the tests, and another one on PATH. */
const nodes = [...new Set([process.execPath, ...onPath('node')])].map((path) => {
  const name = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim();
  return [name, path] as const;
});
const different = nodes.filter(([name], index) => nodes.findIndex((node) => node[0] === name) === index);

function onPath(program: string): string[] {
  const { stdout } = spawnSync('/bin/sh', ['-c', 'IFS=:; for place in $PATH; do echo "$place"; done'], {
    encoding: 'utf8',
  });
  const files = stdout.split('\n').map((place) => join(place, program));
  return files.filter((file) => spawnSync(file, ['-p', 'process.version']).status === 0);
}

describe('the package', () => {
  let folder: string;
  let tarball: string;
  let host: Ec2Host;
  let key: SshKey;
  /** A PATH that has what sh needs, and no Node. */
  let basics: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'install-'));
    const pack = ['pack', '--silent', '--pack-destination', folder];
    tarball = join(folder, execFileSync('npm', pack, { cwd: actionPath, encoding: 'utf8' }).trim());
    const install = [
      'install',
      '--silent',
      '--global',
      '--offline',
      '--prefix',
      join(folder, 'prefix'),
      tarball,
    ];
    execFileSync('npm', install, { cwd: folder });
    mkdirSync(join(folder, 'unpacked'));
    execFileSync('tar', ['-xzf', tarball, '-C', join(folder, 'unpacked')]);
    basics = join(folder, 'basics');
    mkdirSync(basics);
    for (const name of ['sh', 'dirname', 'readlink', 'ssh-agent', 'ssh-add', 'mkdir', 'rm', 'cat']) {
      symlinkSync(onPathOnce(name), join(basics, name));
    }
    key = await makeSshKey();
    host = await openEc2Host();
    host.world.put('/ci/key', key.privateKey);
  });
  afterAll(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
    rmSync(folder, { recursive: true });
  });

  const onPathOnce = (name: string): string =>
    execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  const installed = (): string => join(folder, 'prefix/bin/ssm-ssh-agent');
  const run = (program: string, args: string[], env: Record<string, string> = {}): SpawnSyncReturns<string> =>
    spawnSync(program, args, { encoding: 'utf8', env: { PATH: basics, HOME: folder, ...env } });

  it('has what the programs need, no sources, and asks for no other package', () => {
    const list = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    expect(list).toEqual(
      expect.arrayContaining(
        [
          'helper/ssm-ssh',
          'helper/ssm-ssh-agent',
          'helper/git-credential-ssm',
          'helper/launch.sh',
          'helper/find-node.sh',
          'dist/programs/index.js',
        ].map((file) => `package/${file}`),
      ),
    );
    expect(list.filter((file) => /\.ts$|\.map$|node_modules|dist\/(main|post)/.test(file))).toEqual([]);
    const file = join(folder, 'unpacked/package/package.json');
    const { dependencies } = JSON.parse(readFileSync(file, 'utf8')) as { dependencies?: object };
    expect(dependencies).toBeUndefined();
  });

  it('has each file and each heading that its documents link to', () => {
    const root = join(folder, 'unpacked/package');
    const documents = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.md'),
    );
    expect(documents).toEqual(expect.arrayContaining(['README.md', 'docs/install.md', 'docs/ec2.md']));
    const dead = documents.flatMap((name) =>
      relativeLinks(readFileSync(join(root, name), 'utf8'))
        .filter((link) => !isThere(root, name, link))
        .map((link) => `${name}: ${link}`),
    );
    expect(dead).toEqual([]);
  });

  it('says whose it is, where its source is, and what it is for', () => {
    const file = join(folder, 'unpacked/package/package.json');
    const { name, repository, homepage, bugs, author, keywords } = JSON.parse(
      readFileSync(file, 'utf8'),
    ) as Record<string, unknown>;
    const { url = '' } = repository as { url?: string };
    const address = /^git\+(https:\/\/github\.com\/[^/]+\/ssm-ssh-agent)\.git$/.exec(url)?.[1] ?? '';
    expect([name, homepage, bugs]).toEqual(['ssm-ssh-agent', `${address}#readme`, `${address}/issues`]);
    expect(author).toBeTruthy();
    expect(keywords).toEqual(expect.arrayContaining(['ssh-agent', 'parameter-store', 'github-actions']));
  });

  describe.each(different)('on Node %s', (...[, node]) => {
    it("runs through npm's link, by SSM_SSH_NODE and by PATH", () => {
      const named = run(installed(), ['--version'], { SSM_SSH_NODE: node });
      expect([named.stderr, named.stdout]).toEqual(['', `ssm-ssh-agent ${version}\n`]);
      const found = run(installed(), ['--version'], { PATH: `${basics}:${dirname(node)}` });
      expect([found.stderr, found.stdout]).toEqual(['', `ssm-ssh-agent ${version}\n`]);
    });

    it('loads a key, and the AWS SDK has nothing to say about that Node', async () => {
      const program = join(folder, 'unpacked/package/helper/ssm-ssh-agent');
      const env = { PATH: basics, SSM_SSH_NODE: node };
      const argv = [program, 'exec', '--key', '/ci/key', '--', 'ssh-add', '-l'];
      const { exitCode, stdout, stderr } = await host.start(argv, { env }).ended;
      expect([stderr, exitCode]).toEqual(['', 0]);
      expect(stdout).toContain(key.fingerprint);
    });

    it('tells a failure of AWS in two lines', async () => {
      const argv = [installed(), 'exec', '--key', '/ci/nothing', '--', 'true'];
      const { exitCode, stderr } = await host.start(argv, { env: { PATH: basics, SSM_SSH_NODE: node } })
        .ended;
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^ssm-ssh-agent: KEY_NOT_FOUND: .*\nhint: .*\n$/);
    });
  });

  it('runs on the Node of an Actions runner where PATH has none, and through links to links', () => {
    const node = join(folder, 'actions-runner/externals/node24/bin/node');
    mkdirSync(dirname(node), { recursive: true });
    writeFileSync(
      node,
      `#!/bin/sh\n[ "$1" = --version ] && echo v24.0.0 && exit\necho "the runner's"; exec '${process.execPath}' "$@"\n`,
    );
    chmodSync(node, 0o755);
    mkdirSync(join(folder, 'links'));
    symlinkSync('../prefix/bin/ssm-ssh-agent', join(folder, 'links/relative'));
    symlinkSync(join(folder, 'links/relative'), join(folder, 'links/absolute'));
    const { stdout, stderr } = run(join(folder, 'links/absolute'), ['--version']);
    expect([stderr, stdout]).toEqual(['', `the runner's\nssm-ssh-agent ${version}\n`]);
  });

  it('says what to do where SSM_SSH_NODE is no Node', () => {
    const { status, stdout, stderr } = run(installed(), ['--version'], { SSM_SSH_NODE: '/nowhere' });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'ssm-ssh-agent: INPUT_INVALID: SSM_SSH_NODE is no Node 20 or newer: /nowhere\nhint: set it to the path of one, or unset it to have one looked for\n',
    );
  });
});
