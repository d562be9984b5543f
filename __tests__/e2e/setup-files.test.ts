/** Which files setup writes: those that git reads, whatever the environment and the links are; and what it says of others. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { openEc2Host, type Ec2Host } from './ec2-host.ts';
import { itWhere } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('ssm-ssh-agent setup', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const key = ['--key', '/ci/key'];
  const file = (): string => host.env['GIT_CONFIG_GLOBAL'] ?? '';

  it.each([
    ['HOME is not set', { GIT_CONFIG_GLOBAL: undefined, HOME: undefined }],
    ['HOME is empty', { GIT_CONFIG_GLOBAL: undefined, HOME: '' }],
    ['GIT_CONFIG_GLOBAL is no whole path: here', { GIT_CONFIG_GLOBAL: 'here' }],
    ['GIT_CONFIG_GLOBAL is empty', { GIT_CONFIG_GLOBAL: '' }],
    ['XDG_CONFIG_HOME is no whole path: here', { GIT_CONFIG_GLOBAL: undefined, XDG_CONFIG_HOME: 'here' }],
    ['GIT_CONFIG_SYSTEM is no whole path: here', { GIT_CONFIG_SYSTEM: 'here' }],
    ['GIT_CONFIG_SYSTEM is empty', { GIT_CONFIG_SYSTEM: '' }],
  ])('refuses where git has no file of its own: %s', async (message, env) => {
    const scope = message.includes('SYSTEM') ? '--system' : '--global';
    for (const args of [key, ['--remove']]) {
      const { exitCode, stderr } = await host.agent(['setup', scope, ...args], { env });
      expect([exitCode, stderr]).toEqual([
        2,
        expect.stringMatching(/^ssm-ssh-agent: INPUT_INVALID: .*\nhint: .*\n$/),
      ]);
      expect(stderr).toContain(`INPUT_INVALID: ${message}`);
    }
    expect([existsSync(join(host.folder, '.gitconfig')), existsSync(join(host.folder, 'here'))]).toEqual([
      ...[false, false],
    ]);
  });

  // A link to a pipe stands for a link to /dev/null, which a broken setup would replace on this machine.
  it.each(['mkdir', 'mkfifo', 'mkfifo pipe && ln -s "$PWD/pipe"'])(
    'refuses what is no regular file: %s',
    async (make) => {
      execFileSync('sh', ['-c', `${make} "$0"`, file()], { cwd: host.folder });
      for (const args of [key, ['--remove']]) {
        const { exitCode, stderr } = await host.agent(['setup', '--global', ...args]);
        expect(exitCode).toBe(2);
        expect(stderr).toMatch(
          /^ssm-ssh-agent: INPUT_INVALID: \/.* is no file: setup cannot write .*\nhint: see what is there: ls -ld \/.*\n$/,
        );
      }
      expect(existsSync(`${file()}.lock`)).toBe(false);
    },
  );

  it.each([true, false])('follows links as the kernel does, to a file that is there: %s', async (isThere) => {
    // home/.gitconfig → sub/../mine, and home/sub → ../elsewhere/deep: so elsewhere/mine, and not home/mine.
    const elsewhere = join(host.folder, 'elsewhere');
    mkdirSync(join(elsewhere, 'deep'), { recursive: true });
    symlinkSync('../elsewhere/deep', join(host.folder, 'home/sub'));
    symlinkSync('sub/../mine', file());
    const before = '[user]\n\tname = me\n';
    if (isThere) writeFileSync(join(elsewhere, 'mine'), before);
    expect((await host.agent(['setup', '--global', ...key])).exitCode).toBe(0);
    const listed = execFileSync('git', ['config', '--global', 'ssm.key'], {
      env: host.env,
      encoding: 'utf8',
    });
    expect(listed).toBe('/ci/key\n');
    expect(existsSync(join(host.folder, 'home/mine'))).toBe(false);
    await host.agent(['setup', '--global', '--remove']);
    if (isThere) expect(readFileSync(join(elsewhere, 'mine'), 'utf8')).toBe(before);
    else expect(existsSync(join(elsewhere, 'mine'))).toBe(false);
  });

  it('refuses links that lead in a circle', async () => {
    symlinkSync('.gitconfig', file());
    const { exitCode, stderr } = await host.agent(['setup', '--global', ...key]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('cannot be read: ELOOP')]);
  });

  it('names the file whose core.sshCommand has no effect any more, or takes precedence', async () => {
    const more = join(host.folder, 'more');
    writeFileSync(more, '[core]\n\tsshCommand = ssh -i /mine\n');
    writeFileSync(file(), `[include]\n\tpath = ${more}\n`);
    const global = await host.agent(['setup', '--global', ...key, '--force']);
    expect(global.stderr).toContain(
      `ssm-ssh-agent: warning: core.sshCommand of ${more} has no effect any more: ssh -i /mine\n` +
        'hint: ssm-ssh-agent setup --global --remove brings it back\n',
    );
    await host.agent(['setup', '--global', '--remove']);
    const system = await host.agent(['setup', '--system', ...key]);
    expect(system.stderr).toContain(
      `ssm-ssh-agent: warning: core.sshCommand of ${more} takes precedence over that of setup: ssh -i /mine\nhint: `,
    );
    rmSync(file());
    expect((await host.agent(['setup', '--global', ...key])).stderr).not.toContain('warning');
  });

  it('names ~/.config/git/config, whose core.sshCommand has no effect any more', async () => {
    const home = host.env['HOME'] ?? '';
    const other = join(home, '.config/git/config');
    mkdirSync(join(home, '.config/git'), { recursive: true });
    writeFileSync(other, '[core]\n\tsshCommand = ssh -i /mine\n');
    writeFileSync(join(home, '.gitconfig'), '');
    const env = { GIT_CONFIG_GLOBAL: undefined };
    const { stderr } = await host.agent(['setup', '--global', ...key, '--force'], { env });
    expect(stderr).toContain(`warning: core.sshCommand of ${other} has no effect any more: ssh -i /mine\n`);
  });

  itWhere(userInfo().uid !== 0, 'root may write everywhere')(
    'says who may write where this user may not, in the words of the scope',
    async () => {
      const home = host.env['HOME'] ?? '';
      chmodSync(home, 0o555);
      const { stderr } = await host.agent(['setup', '--global', ...key]);
      chmodSync(home, 0o755);
      expect(stderr).toMatch(/EACCES\nhint: see who may write there: ls -ld .*\n$/);
    },
  );
});
