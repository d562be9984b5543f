import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { actionPath } from './stage.ts';
import { itWhere } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';
import { programsNode } from '../support/programs-node.ts';

const ssh = join(actionPath, 'helper/ssm-ssh');

const whereIs = (program: string): string =>
  execFileSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();

describe('ssm-ssh-agent setup', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    expect(host.world.aws.calls).toEqual([]);
    await host.close();
  });

  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', env: host.env, cwd: host.folder }).trim();
  const settings = (scope = '--system'): string[] => git('config', scope, '--list').split('\n');
  const file = (): string => host.env['GIT_CONFIG_SYSTEM'] ?? '';
  const key = ['--key', '/ci/deploy-key'];

  it('writes what git needs to find the key, and prints the lines for other files', async () => {
    const args = ['setup', '--system', ...key, '--region', 'eu-west-1', '--key-lifetime', '15m'];
    const { exitCode, stdout, stderr } = await host.agent(args);
    expect(exitCode).toBe(0);
    expect(settings()).toEqual([
      ...['ssm.key=/ci/deploy-key', 'ssm.region=eu-west-1', 'ssm.keylifetime=15m'],
      ...[`ssm.node=${programsNode}`, `core.sshcommand=${ssh}`, 'ssh.variant=ssh'],
    ]);
    expect(stdout).toContain(`\nGIT_SSH_COMMAND=${ssh}\n`);
    expect(stdout).toContain(`\nEnvironment="GIT_SSH_COMMAND=${ssh}"\n`);
    expect(stderr).toContain(
      "ssm-ssh-agent: written to git's system configuration:\n  ssm.key = /ci/deploy-key\n",
    );
  });

  it('writes a credential for HTTPS beside what is there, and nothing about ssh', async () => {
    const github = 'credential.https://github.com';
    git('config', '--global', `${github}.helper`, 'store');
    git('config', '--global', '--add', `${github}.helper`, '/old/helper/git-credential-ssm');
    const args = ['setup', '--global', '--credential', '/ci/token', 'https://github.com/acme'];
    const first = await host.agent(args);
    expect([first.exitCode, first.stdout]).toEqual([0, '']);
    expect(settings('--global')).toEqual([
      ...[`${github}.helper=store`, 'ssm.github.com/acme.credential=/ci/token'],
      `${github}.helper=${join(actionPath, 'helper/git-credential-ssm')}`,
      ...[`${github}.usehttppath=true`, `ssm.node=${programsNode}`],
    ]);
    const { stderr } = await host.agent(args);
    expect(stderr).toBe("ssm-ssh-agent: nothing to change in git's global configuration\n");
  });

  it('changes nothing the second time, and reports that', async () => {
    const args = [
      'setup',
      '--system',
      ...key,
      'git@github.com:Acme/Lib.git',
      '--passphrase',
      '/ci/passphrase',
    ];
    await host.agent(args);
    const before = readFileSync(file(), 'utf8');
    expect(before.replaceAll(/ # ssm-ssh-agent setup [0-9a-f]{8}$/gm, '')).toContain(
      '[ssm "github.com/acme/lib"]\n\tkey = /ci/deploy-key\n\tpassphrase = /ci/passphrase\n',
    );
    const { exitCode, stderr } = await host.agent(args);
    expect([exitCode, stderr]).toEqual([
      0,
      "ssm-ssh-agent: nothing to change in git's system configuration\n",
    ]);
    expect(readFileSync(file(), 'utf8')).toBe(before);
  });

  it('adds the next repository, replaces a key with what opens it, and leaves the rest', async () => {
    git('config', '--global', 'user.name', 'me');
    await host.agent(['setup', '--global', ...key, 'github.com/acme/lib', '--passphrase=/ci/passphrase']);
    await host.agent(['setup', '--global', '--key', '/ci/tools', 'github.com/acme/tools']);
    const { stderr } = await host.agent(['setup', '--global', '--key', '/ci/new', 'github.com/acme/lib']);
    expect(stderr).toContain('ssm.github.com/acme/lib.key = /ci/new (was /ci/deploy-key)');
    expect(stderr).toContain('ssm.github.com/acme/lib.passphrase removed (was /ci/passphrase)');
    const all = settings('--global');
    expect(all).toContain('user.name=me');
    expect(all.filter((line) => line.startsWith('ssm.git'))).toEqual([
      'ssm.github.com/acme/lib.key=/ci/new',
      'ssm.github.com/acme/tools.key=/ci/tools',
    ]);
    expect(existsSync(file())).toBe(false);
  });

  it('takes several keys at once, each with its own grammar', async () => {
    const keys = ['--key', '/ci/lib passphrase=/ci/p github.com/acme/lib', '--key', '/ci/all'];
    expect((await host.agent(['setup', '--system', ...keys])).exitCode).toBe(0);
    expect(settings()).toEqual(
      expect.arrayContaining(['ssm.github.com/acme/lib.passphrase=/ci/p', 'ssm.key=/ci/all']),
    );
  });

  it('lets git send the path to hosts that have a credential', async () => {
    git('config', '--system', 'ssm.github.com/acme.credential', '/ci/github-token');
    await host.agent(['setup', '--system', ...key]);
    expect(git('config', '--get-urlmatch', 'credential.useHttpPath', 'https://github.com/acme/lib')).toBe(
      'true',
    );
    expect(git('config', '--default=', '--get', 'credential.https://gitlab.com.useHttpPath')).toBe('');
  });

  it('prints with --dry-run the commands that do the same', async () => {
    const args = ['setup', '--system', ...key, '--role-arn', 'arn:aws:iam::111122223333:role/keys'];
    const { stdout, stderr } = await host.agent([...args, '--dry-run']);
    expect(existsSync(file())).toBe(false);
    expect(stderr).toContain('would be written');
    const commands = stdout.split('\n').filter((line) => line.startsWith('git config'));
    await host.start(['sh', '-ec', commands.join('\n')]).ended;
    const again = await host.agent(args);
    // What git config wrote has no mark yet.
    expect(again.stderr).toMatch(/ written to .*:\n {2}core\.sshCommand = \S+ \(it was there, .*\)\nhint: /);
    expect((await host.agent(args)).stderr).toContain('nothing to change');
  });

  it('prints with --json what it wrote', async () => {
    const { stdout, stderr } = await host.agent(['setup', '--global', ...key, '--json', '--quiet']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ scope: 'global', gitSshCommand: ssh },
      sshConfig: expect.stringContaining('ProxyCommand') as unknown,
      changes: expect.arrayContaining([{ name: 'ssm.key', value: '/ci/deploy-key' }]) as unknown,
    });
  });

  it('warns where a role of another file would be assumed before its own', async () => {
    const [first, second] = ['one', 'two'].map((name) => `arn:aws:iam::111122223333:role/${name}`);
    const global = ['setup', '--global', '--key', '/ci/key', '--role-arn', second ?? ''];
    expect((await host.agent(global)).stderr).not.toContain('chain');
    await host.agent(['setup', '--system', '--key', '/ci/key', '--role-arn', first ?? '']);
    const { stderr } = await host.agent(global);
    expect(stderr).toContain(
      `one of a chain: git's other files have ssm.roleArn, too: ${first ?? ''} (${file()})`,
    );
  });

  it('refuses to override a core.sshCommand that setup did not write, except with --force', async () => {
    git('config', '--system', 'core.sshCommand', 'ssh -i /etc/key');
    const refused = await host.agent(['setup', '--system', ...key]);
    expect([refused.exitCode, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(
      /^ssm-ssh-agent: INPUT_INVALID: core.sshCommand .*: ssh -i \/etc\/key\nhint: write --force to override it/,
    );
    expect(settings()).toEqual(['core.sshcommand=ssh -i /etc/key']);
    expect((await host.agent(['setup', '--system', ...key, '--force'])).exitCode).toBe(0);
    expect(git('config', 'core.sshCommand')).toBe(ssh);
  });

  it.each(['/home/me/bin/ssm-ssh', "'/my tools/ssm-ssh'", 'ssm-ssh -v'])(
    'refuses to override an ssh command with a name like ours: %s',
    async (value) => {
      git('config', '--system', 'core.sshCommand', value);
      expect((await host.agent(['setup', '--system', ...key])).exitCode).toBe(2);
      expect(settings()).toEqual([`core.sshcommand=${value}`]);
    },
  );

  it('replaces the ssh command of another installation of ours', async () => {
    git('config', '--system', 'core.sshCommand', '/old/helper/ssm-ssh');
    const { exitCode, stderr } = await host.agent(['setup', '--system', ...key]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`core.sshCommand = ${ssh} (was /old/helper/ssm-ssh)`);
  });

  it('finds the Node of a runner where there is no other on PATH, and writes it down; git runs a path with spaces', async () => {
    const place = join(host.folder, 'an installation');
    for (const name of ['helper', 'dist/programs', 'package.json']) {
      cpSync(join(actionPath, name), join(place, name), { recursive: true });
    }
    const node = join(host.env['HOME'] ?? '', 'actions-runner/externals/node24/bin/node');
    mkdirSync(dirname(node), { recursive: true });
    cpSync(process.execPath, node);
    const basics = join(host.folder, 'basics');
    mkdirSync(basics);
    for (const name of ['sh', 'dirname', 'git']) {
      symlinkSync(whereIs(name), join(basics, name));
    }
    const argv = [join(place, 'helper/ssm-ssh-agent'), 'setup', '--system', ...key];
    const { exitCode, stderr } = await host.start(argv, { env: { PATH: basics } }).ended;
    expect([exitCode, stderr.includes(`ssm.node = ${node}`)]).toEqual([0, true]);
    const fake = join(place, 'helper/ssm-ssh');
    writeFileSync(fake, '#!/bin/sh\necho "ran: $*" >&2\nexit 1\n');
    chmodSync(fake, 0o755);
    const clone = await host.start(['git', 'ls-remote', 'git@git.test:acme/lib.git']).ended;
    // ssh.variant=ssh: git does not probe, and passes what ssh takes.
    expect(clone.stderr).toMatch(
      /^ran: -o SendEnv=GIT_PROTOCOL git@git.test git-upload-pack 'acme\/lib.git'\n/,
    );
  });

  itWhere(userInfo().uid === 0, 'setting all users up needs root')(
    'tells ssh where the agent of each user is where root sets all users up',
    async () => {
      const { stdout } = await host.agent(['setup', '--system', ...key]);
      const config = join(host.folder, 'ssh-config');
      writeFileSync(config, stdout.slice(stdout.indexOf('\nMatch host ')));
      const agent = /^identityagent (.*)$/m;
      const shown = execFileSync('ssh', ['-F', config, '-G', 'i-0123456789abcdef0'], { encoding: 'utf8' });
      expect(stdout).toContain('/ssm-ssh-agent-%i/ec2/agent');
      const parent = existsSync('/run/user/0') ? '/run/user/0' : `${userInfo().homedir}/.cache`;
      expect(agent.exec(shown)?.[1]?.replace(/^~/, userInfo().homedir)).toBe(
        `${parent}/ssm-ssh-agent-0/ec2/agent`,
      );
      const ofOne = await host.agent(['setup', '--global', ...key, '--force']);
      expect(ofOne.stdout).not.toContain('%i');
    },
  );

  it('writes a system configuration that every user can read, whatever the umask is', async () => {
    const agent = join(actionPath, 'helper/ssm-ssh-agent');
    const under = (umask: string, words: string): Promise<Ended> =>
      host.start(['sh', '-c', `umask ${umask} && exec ${agent} setup ${words}`]).ended;
    for (const umask of ['077', '027']) {
      const { exitCode, stderr } = await under(umask, '--system --key /ci/deploy-key');
      expect([exitCode, stderr.includes('warning')]).toEqual([0, false]);
      expect(statSync(file()).mode & 0o777).toBe(0o644);
      rmSync(file());
    }
    await under('077', '--global --key /ci/deploy-key');
    expect(statSync(join(host.env['HOME'] ?? '', '.gitconfig')).mode & 0o777).toBe(0o600);
  });

  it('keeps the mode of an existing system configuration, and warns if other users cannot read it', async () => {
    writeFileSync(file(), '', { mode: 0o600 });
    for (const args of [
      ['setup', '--system', ...key],
      ['setup', '--system', ...key],
    ]) {
      const { exitCode, stderr } = await host.agent(args);
      expect(exitCode).toBe(0);
      expect(stderr).toContain(
        `warning: other users cannot read ${file()}, and every git of theirs fails: chmod 644 ${file()}\n`,
      );
    }
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it('warns if other users cannot read the installation', async () => {
    const place = join(host.folder, 'closed');
    for (const name of ['helper', 'dist/programs', 'package.json'])
      cpSync(join(actionPath, name), join(place, name), { recursive: true });
    chmodSync(host.folder, 0o755);
    chmodSync(place, 0o700);
    const { stderr } = await host.start([join(place, 'helper/ssm-ssh-agent'), 'setup', '--system', ...key])
      .ended;
    expect(stderr).toContain(
      `warning: other users cannot read ${place}: for them, install ssm-ssh-agent where`,
    );
  });

  it.each([
    [['setup'], '--system or --global is missing'],
    [['setup', '--system', '--global', ...key], '--system and --global do not go together'],
    [['setup', '--system'], 'setup has no key to write'],
    [['setup', '--system', '--key=/a', '--key=/b', 'github.com'], 'with several keys it is not clear'],
    [['setup', '--system', '--key=/a', '--key=/b'], 'two keys are for every other repository'],
    [['setup', '--system', ...key, '--profile', 'x'], 'setup cannot write --profile'],
    [['setup', '--system', ...key, '--key-lifetime', 'soon'], '--key-lifetime is not a duration'],
    [['setup', '--system', ...key, 'not/a*host'], 'the repository "not/a*host"'],
    [['setup', '--system', '--known-hosts', '/nowhere'], '--known-hosts: /nowhere cannot be read: ENOENT'],
    [['setup', '--system', '--known-hosts', '/nowhere', 'github.com'], 'setup has no key to write'],
  ])('refuses %j, and writes nothing', async (args, message) => {
    const { exitCode, stdout, stderr } = await host.agent(args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: INPUT_INVALID: .*\nhint: .*\n$/);
    expect(stderr).toContain(message);
    expect(existsSync(file())).toBe(false);
  });

  it('says what to do if git cannot write, or is not installed', async () => {
    const nowhere = await host.agent(['setup', '--system', ...key], {
      env: { GIT_CONFIG_SYSTEM: '/proc/gitconfig' },
    });
    expect([nowhere.exitCode, nowhere.stdout]).toEqual([2, '']);
    expect(nowhere.stderr).toMatch(
      /^ssm-ssh-agent: INPUT_INVALID: \/proc\/gitconfig cannot be written: ENOENT\nhint: see /,
    );
    const basics = join(host.folder, 'no-git');
    mkdirSync(basics);
    for (const name of ['sh', 'dirname']) symlinkSync(whereIs(name), join(basics, name));
    const env = { PATH: basics, SSM_SSH_NODE: process.execPath };
    const { exitCode, stderr } = await host.agent(['setup', '--system', ...key], { env });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^ssm-ssh-agent: GIT_NOT_FOUND: git is not on PATH\nhint: install git/);
  });
});
