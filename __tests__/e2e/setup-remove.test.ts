/** `setup --remove`: the configuration is as it was before setup, and what people changed since stays. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { actionPath } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';
import { programsNode } from '../support/programs-node.ts';

describe('ssm-ssh-agent setup --remove', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', env: host.env, cwd: host.folder }).trim();
  const file = (): string => host.env['GIT_CONFIG_GLOBAL'] ?? '';
  const text = (): string | undefined => (existsSync(file()) ? readFileSync(file(), 'latin1') : undefined);
  const setup = async (...args: string[]): Promise<Ended> => {
    const ended = await host.agent(['setup', '--global', ...args]);
    expect([ended.stderr.includes('INPUT_INVALID'), ended.exitCode]).toEqual([false, 0]);
    return ended;
  };
  const remove = (...args: string[]): Promise<Ended> => setup('--remove', ...args);
  /** All that setup can write. */
  const setUpAll = async (): Promise<void> => {
    const account = ['--region', 'eu-west-1', '--role-arn', 'arn:aws:iam::111122223333:role/keys'];
    await setup('--key', '/ci/key passphrase=/ci/p', '--key-lifetime', '15m', '--via', 'direct', ...account);
    await setup('--key', '/ci/lib', 'github.com/acme/lib');
    await setup('--credential', '/ci/token username=bot github.com/acme gitlab.com');
  };

  it.each([
    ['where there is none', undefined],
    ['that is empty', ''],
    ['with comments and odd indentation', '# mine\n  [user] ; who\nname=me\n\n [core]\n# nothing\n'],
    ['without a last line end', '[user]\n\tname = me'],
    ['of Windows', '[core]\r\n\teditor = vi\r\n'],
    ['that is not UTF-8', '[user]\n\tname = M\xfcller\n'],
    ['with an include', '[include]\n\tpath = other\n'],
    [
      'with a key, an ssh.variant and a credential of its own',
      `[ssm]\n\tkey = /mine\n\tpassphrase = /p\n[ssh]\n\tvariant = ssh
[credential "https://github.com"]\n\thelper = store\n\tuseHttpPath = true\n`,
    ],
    [
      'with roles, an ssh command and a helper of another installation',
      `[ssm] # mine\n  roleArn = arn:aws:iam::111122223333:role/a, \\\n    arn:aws:iam::111122223333:role/b ; both
\tROLEARN=arn:aws:iam::111122223333:role/c\n[core]\n\tsshCommand = /old/helper/ssm-ssh
[credential "https://github.com"]\n\thelper = /old/helper/git-credential-ssm
\thelper = "!f() { git-credential-ssm --mine; }; f"`,
    ],
  ])('leaves a configuration %s as it was before setup', async (_, before) => {
    if (before !== undefined) writeFileSync(file(), before, { encoding: 'latin1', mode: 0o640 });
    await setUpAll();
    expect(git('config', '--global', 'ssm.key')).toBe('/ci/key');
    expect(git('config', '--global', 'credential.https://github.com.useHttpPath')).toBe('true');
    expect(git('config', '--global', '--get-all', 'ssm.roleArn')).toBe('arn:aws:iam::111122223333:role/keys');
    const { stdout, stderr } = await remove();
    expect(text()).toBe(before);
    if (before !== undefined) expect(statSync(file()).mode & 0o777).toBe(0o640);
    expect([stdout, existsSync(`${file()}.lock`)]).toEqual(['', false]);
    expect(stderr).toMatch(
      /^ssm-ssh-agent: removed from git's global configuration:\n {2}ssm\.key \(was \/ci\/key\)\n/,
    );
    expect(stderr).toMatch(/\nhint: .*\/etc\/environment[^]*\.env[^]*systemd[^]*~\/\.ssh\/config/);
    const again = await remove();
    expect(again.stderr).toContain(
      "ssm-ssh-agent: there is nothing of setup in git's global configuration\n",
    );
    expect(text()).toBe(before);
  });

  it('keeps a symlink, also one to a file that does not exist', async () => {
    const dotfiles = join(host.folder, 'dotfiles');
    mkdirSync(dotfiles);
    for (const before of ['[user]\n\tname = me\n', undefined]) {
      const target = join(dotfiles, `gitconfig-${before === undefined ? 'new' : 'old'}`);
      if (before !== undefined) writeFileSync(target, before);
      else execFileSync('rm', [file()]);
      symlinkSync(`../dotfiles/${target.slice(dotfiles.length + 1)}`, file());
      await setUpAll();
      expect([lstatSync(file()).isSymbolicLink(), readFileSync(target, 'utf8').includes('/ci/key')]).toEqual([
        ...[true, true],
      ]);
      await remove();
      expect([lstatSync(file()).isSymbolicLink(), text()]).toEqual([true, before]);
    }
  });

  it('removes what it wrote from ~/.config/git/config', async () => {
    const home = host.env['HOME'] ?? '';
    const other = join(home, '.config/git/config');
    mkdirSync(join(home, '.config/git'), { recursive: true });
    writeFileSync(other, '[user]\n\tname = me\n');
    const env = { GIT_CONFIG_GLOBAL: undefined };
    expect((await host.agent(['setup', '--global', '--key', '/ci/key'], { env })).exitCode).toBe(0);
    expect([readFileSync(other, 'utf8').includes('/ci/key'), existsSync(join(home, '.gitconfig'))]).toEqual([
      ...[true, false],
    ]);
    // From now on git writes here, and reads both.
    const own = '[core]\n\teditor = vi\n';
    writeFileSync(join(home, '.gitconfig'), own);
    const arn = 'arn:aws:iam::111122223333:role/keys';
    await host.agent(['setup', '--global', '--key', '/ci/new', '--role-arn', arn], { env });
    expect(readFileSync(other, 'utf8')).not.toContain('/ci/key');
    await host.agent(['setup', '--global', '--remove'], { env });
    expect([readFileSync(other, 'utf8'), readFileSync(join(home, '.gitconfig'), 'utf8')]).toEqual([
      ...['[user]\n\tname = me\n', own],
    ]);
  });

  it('keeps what people changed since, and what they added', async () => {
    await setUpAll();
    git('config', '--global', 'ssm.region', 'eu-central-1');
    git('config', '--global', 'core.sshCommand', 'ssh -i /mine');
    git('config', '--global', 'core.pager', 'less');
    git('config', '--global', '--add', 'credential.https://github.com.helper', 'store');
    writeFileSync(file(), `${text() ?? ''}# mine\n`.replace('/ci/lib', '/ci/mine'));
    await remove();
    expect(git('config', '--global', '--list').split('\n')).toEqual([
      ...['ssm.region=eu-central-1', 'core.sshcommand=ssh -i /mine', 'core.pager=less'],
      ...['ssm.github.com/acme/lib.key=/ci/mine', 'credential.https://github.com.helper=store'],
    ]);
    expect(text()).toMatch(/# mine\n$/);
    expect(text()).not.toContain('setup wrote');
  });

  it('restores the ssh command that --force overrode', async () => {
    const before = '[core]\n\tsshCommand = ssh -i /etc/key\n';
    writeFileSync(file(), before);
    await setup('--key', '/ci/key', '--force');
    expect(git('config', '--global', 'core.sshCommand')).toMatch(/ssm-ssh$/);
    await remove();
    expect(text()).toBe(before);
  });

  it('prints with --dry-run what it would remove, and with --json what it removed', async () => {
    await setup('--key', '/ci/key');
    const before = text();
    const dry = await remove('--dry-run');
    expect(dry.stderr).toMatch(
      /^ssm-ssh-agent: would be removed from git's global configuration:\n {2}ssm\.key/,
    );
    expect(text()).toBe(before);
    const { stdout, stderr } = await remove('--json', '--quiet');
    expect(stderr).toBe('');
    const shape = { name: expect.any(String) as unknown, value: expect.any(String) as unknown };
    const { scope, removed } = JSON.parse(stdout) as { scope: string; removed: readonly unknown[] };
    expect([scope, removed]).toEqual([
      'global',
      removed.map(() => expect.objectContaining(shape) as unknown),
    ]);
    expect(removed).toContainEqual({ name: 'ssm.key', value: '/ci/key' });
    expect(text()).toBeUndefined();
  });

  it.each([
    ['/old/helper/ssm-ssh', '/old/helper/ssm-ssh'],
    [`'/old (it'\\''s)/helper/ssm-ssh'`, `'/old (it'\\''s)/helper/ssm-ssh'`],
  ])('warns of an ssh command of ours that it did not write: %s', async (value, shown) => {
    const mine = '[core]\n\tsshCommand = ssh -i /mine\n';
    const before = `${mine}\tsshCommand = ${value.replaceAll('\\', '\\\\')}\n`;
    writeFileSync(file(), before);
    const { stderr } = await remove();
    expect(stderr).toContain(
      `ssm-ssh-agent: warning: ${shown} is still core.sshCommand: setup did not write that line\n`,
    );
    expect(text()).toBe(before);
    const [, hint = ''] = /\nhint: (git config .*)\n$/.exec(stderr) ?? [];
    expect((await host.start(['sh', '-ec', hint]).ended).exitCode).toBe(0);
    expect(text()).toBe(mine);
  });

  it.each(['--quiet', '--dry-run'])('does not warn of it with %s', async (option) => {
    writeFileSync(file(), '[core]\n\tsshCommand = /old/helper/ssm-ssh\n');
    expect((await remove(option)).stderr).not.toContain('is still core.sshCommand');
  });

  it.each(['--global', '--dry-run', '--json', '--quiet', '--verbose'])('goes with %s', async (option) => {
    expect((await remove(option)).exitCode).toBe(0);
  });

  it('removes the lines of an earlier setup, which had no marks, after the next setup', async () => {
    const old = '[ssm]\n\tkey = /ci/key\n';
    const helper = join(actionPath, 'helper/git-credential-ssm');
    writeFileSync(
      file(),
      `${old}[core]\n\tsshCommand = ${join(actionPath, 'helper/ssm-ssh')}\n[credential "https://github.com"]\n\thelper = ${helper}\n`,
    );
    const { stderr } = await setup('--key', '/ci/key');
    expect(stderr).toMatch(/\n {2}core\.sshCommand = \/.*\/ssm-ssh \(it was there, and gets a mark: /);
    await setup('--credential', '/ci/token', 'github.com');
    expect(git('config', '--global', '--get-all', 'credential.https://github.com.helper')).toBe(helper);
    const again = await setup('--key', '/ci/key');
    expect(again.stderr).toContain('nothing to change');
    await remove();
    expect(text()).toBe(old);
  });

  it('leaves marks and notes of somebody else', async () => {
    const before =
      '# ssm-ssh-agent setup wrote the marked lines. I wrote this\n[x]\n\ta = "b # ssm-ssh-agent setup 0123abcd"\n';
    writeFileSync(file(), before);
    await remove();
    expect(text()).toBe(before);
  });

  it('removes nothing from the other scope', async () => {
    await setup('--key', '/ci/key');
    await host.agent(['setup', '--system', '--key', '/ci/all']);
    await remove();
    expect(git('config', 'ssm.key')).toBe('/ci/all');
    await host.agent(['setup', '--system', '--remove']);
    expect(existsSync(host.env['GIT_CONFIG_SYSTEM'] ?? '')).toBe(false);
  });

  it('removes the completions and the manual page that --system linked', async () => {
    const env = { XDG_DATA_DIRS: join(host.folder, 'share') };
    const page = join(env.XDG_DATA_DIRS, 'man/man1/ssm-ssh-agent.1');
    mkdirSync(dirname(page), { recursive: true });
    const made = await host.agent(['setup', '--system', '--key', '/ci/key'], { env });
    expect(made.stderr).toContain(`completions and the manual page are linked:\n  ${page}\n`);
    expect(readFileSync(page, 'utf8')).toContain('.TH SSM');
    const shown = await host.agent(['setup', '--system', '--remove', '--dry-run'], { env });
    expect(shown.stderr).toContain(`these links would be removed:\n  ${page}\n`);
    const removed = await host.agent(['setup', '--system', '--remove'], { env });
    expect(removed.stderr).toContain(`these links are removed:\n  ${page}\n`);
    expect(readdirSync(dirname(page))).toEqual([]);
  });

  it.each([
    [['--key', '/ci/key'], '--key'],
    [['--via', 'direct'], '--via'],
    [['github.com/acme/lib'], 'github.com/acme/lib'],
    [['--force'], '--force'],
  ])('refuses %j, because it removes all or nothing', async (more, named) => {
    await setup('--key', '/ci/key');
    const before = text();
    const { exitCode, stderr } = await host.agent(['setup', '--global', '--remove', ...more]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^ssm-ssh-agent: INPUT_INVALID: --remove takes out all that setup wrote, .*\nhint: .*\n$/,
    );
    expect(stderr).toContain(`together with ${named}`);
    expect(stderr).toContain('git config --global --edit');
    expect(text()).toBe(before);
  });

  it('reports that another program is writing the same file', async () => {
    await setup('--key', '/ci/key');
    const before = text();
    writeFileSync(`${file()}.lock`, '');
    for (const args of [['--remove'], ['--key', '/ci/new']]) {
      const { exitCode, stderr } = await host.agent(['setup', '--global', ...args]);
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/INPUT_INVALID: .*\.gitconfig\.lock is there: .*\nhint: run it again; .*\n$/);
    }
    expect([text(), existsSync(`${file()}.lock`)]).toEqual([before, true]);
  });

  it('after another key, another region and another place of the program, setup has replaced its own lines', async () => {
    await setup('--key', '/ci/key', '--region', 'eu-west-1');
    const first = text() ?? '';
    writeFileSync(file(), first);
    await setup('--key', '/ci/new', '--region', 'eu-central-1');
    const moved = join(host.folder, 'moved');
    for (const name of ['helper', 'dist', 'package.json'])
      execFileSync('sh', ['-c', `mkdir -p ${moved} && cp -R ${name} ${moved}/`]);
    chmodSync(moved, 0o755);
    const ended = await host.start([
      join(moved, 'helper/ssm-ssh-agent'),
      'setup',
      '--global',
      '--key',
      '/ci/new',
    ]).ended;
    expect(ended.stderr).toContain(`core.sshCommand = ${moved}/helper/ssm-ssh (was `);
    expect(git('config', '--global', '--list').split('\n')).toEqual([
      ...['ssm.key=/ci/new', 'ssm.region=eu-central-1', `ssm.node=${programsNode}`],
      ...[`core.sshcommand=${moved}/helper/ssm-ssh`, 'ssh.variant=ssh'],
    ]);
    await remove();
    expect(text()).toBeUndefined();
  });
});
