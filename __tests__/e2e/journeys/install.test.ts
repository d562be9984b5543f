/** From the tarball of the package to git without a key, through an upgrade, and back to the machine as it was. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import { project, type Ran } from '../../support/ec2-host.ts';
import { installed } from '../../support/needs.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { useHost } from '../host/use-host.ts';

const describeWithNpm = installed('npm') ? describeOnHost : (): void => undefined;

const ownSsh = ['\tsshCommand = ssh -o ConnectTimeout=7'];

describeWithNpm('a bare host: install, set up, clone, upgrade, remove', () => {
  const stand = useHost();
  let folder: string;
  let tarballs: readonly string[];

  /** Of this checkout, and of the next version. */
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'test-'));
    const pack = (cwd: string): string => {
      const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
      return join(folder, execFileSync('npm', args, { cwd, encoding: 'utf8' }).trim());
    };
    const first = pack(project);
    execFileSync('tar', ['-xzf', first, '-C', folder]);
    const file = join(folder, 'package/package.json');
    const description = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...description, version: '99.0.0' }, null, 2));
    tarballs = [first, pack(join(folder, 'package'))];
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    const { host } = stand;
    for (const name of ['SSM_SSH_KEY', 'GIT_SSH_COMMAND', 'SSM_SSH_KNOWN_HOSTS'])
      Reflect.deleteProperty(host.env, name);
    host.env['PATH'] = `${join(host.home, '.local/bin')}:${host.env['PATH'] ?? ''}`;
    host.configure([]);
  });

  const config = (): string => readFileSync(join(stand.host.home, '.gitconfig'), 'utf8');
  const run = async (line: string): Promise<Ran> => {
    const ran = await stand.host.run(line);
    expect([line, ran.code === 0 ? '' : ran.stderr, ran.code]).toEqual([line, '', 0]);
    return ran;
  };
  const install = (tarball: string | undefined, prefix = '.local'): Promise<Ran> =>
    run(`npm install --silent --global --offline --prefix "$HOME/${prefix}" ${tarball ?? ''}`);
  /** Plain git and ssh, which have no key for the git host. */
  const plain = async (): Promise<string> => {
    const ran = await stand.host.run(`git ls-remote ${stand.git.url('acme/lib')}`);
    return `${String(ran.code)} ${ran.stderr}`;
  };

  it('leaves git as it was, and its configuration to the byte', async () => {
    const { host, git } = stand;
    const mine = ['# mine', '[core]', ...ownSsh, '\ttrustctime = false # why?'];
    host.configure([...mine, '[ssm]', ' roleArn = arn:aws:iam::111122223333:role/mine ; of old']);
    const [before, plainly] = [config(), await plain()];
    const options = '--region eu-west-1 --known-hosts known --force';
    const setup = `ssm-ssh-agent setup --global --key /ci/key ${options}`;

    await install(tarballs[0]);
    const role = 'arn:aws:iam::111122223333:role/other';
    await run(`${setup} --role-arn ${role}`);
    expect((await run('git config --global --get-all ssm.roleArn')).stdout).toBe(`${role}\n`);
    await run('ssm-ssh-agent setup --global --remove');
    expect(config()).toBe(before);
    // The instance may not assume the role.
    host.configure(mine);
    const withoutRole = config();
    expect((await run(setup)).stderr).toContain(
      'hint: before you uninstall: ssm-ssh-agent setup --global --remove',
    );
    await run(`git clone --quiet ${git.url('acme/lib')} first`);

    await install(tarballs[1]);
    expect((await run('ssm-ssh-agent --version')).stdout).toBe('ssm-ssh-agent 99.0.0\n');
    await run(`git clone --quiet ${git.url('acme/lib')} second`);
    expect((await run(setup)).stderr).toContain("nothing to change in git's global configuration");

    await run('ssm-ssh-agent setup --global --remove');
    expect(config()).toBe(withoutRole);
    await run('ssm-ssh-agent flush');
    await run('npm uninstall --silent --global --prefix "$HOME/.local" ssm-ssh-agent');
    expect([await plain(), host.processes()]).toEqual([plainly, []]);
    expect(readdirSync(join(host.home, '.local/bin'))).toEqual([]);
    expect(existsSync(host.state)).toBe(false);
  });

  it('moves to another folder by another setup', async () => {
    const { host, git } = stand;
    const before = config();
    const setup = 'ssm-ssh-agent setup --global --key /ci/key --region eu-west-1 --known-hosts known';
    await install(tarballs[0]);
    await run(setup);
    await run('npm uninstall --silent --global --prefix "$HOME/.local" ssm-ssh-agent');
    expect(await plain()).toMatch(
      /^128 [^]*cannot run .*\/\.local\/lib\/.*\/ssm-ssh: No such file or directory/,
    );

    mkdirSync(join(host.home, 'opt'));
    await install(tarballs[1], 'opt');
    expect((await run(`opt/bin/${setup}`)).stderr).toMatch(
      /core\.sshCommand = .*\/opt\/.* \(was .*\/\.local\//,
    );
    await run(`git clone --quiet ${git.url('acme/lib')} third`);
    await run('opt/bin/ssm-ssh-agent setup --global --remove');
    expect(config()).toBe(before);
  });

  it('is repaired without the program, by the command of the guide', async () => {
    const { host } = stand;
    host.configure(['[ssm]', '\troleArn = arn:aws:iam::111122223333:role/mine', '[core]', ...ownSsh]);
    const listed = async (): Promise<string> => (await run('git config --global --list')).stdout;
    const [before, plainly] = [await listed(), await plain()];
    await install(tarballs[0]);
    const role = '--role-arn arn:aws:iam::111122223333:role/other';
    await run(`ssm-ssh-agent setup --global --key /ci/key --known-hosts known --force ${role}`);
    await run('npm uninstall --silent --global --prefix "$HOME/.local" ssm-ssh-agent');
    const guide = readFileSync(join(project, 'docs/install.md'), 'utf8');
    const [, command = ''] = /^sudo (sed -i\.old .*) \/etc\/gitconfig$/m.exec(guide) ?? [];
    await run(`${command} ~/.gitconfig`);
    expect([await listed(), await plain()]).toEqual([before, plainly]);
  });
});
