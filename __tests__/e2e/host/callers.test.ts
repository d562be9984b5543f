/** Programs that start ssh in their own ways. */
import { afterAll, beforeAll, expect } from '@jest/globals';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { startLoginHost, type LoginHost } from '../../support/login-host.ts';
import { useHost } from './use-host.ts';
import { describeWith } from '../../support/needs.ts';
import { itInTurn as it } from '../../support/parts.ts';

const proxy = `const { argv: [, host, port], stdin, stdout } = process;
  stdin.pipe(net.connect(port, host)).pipe(stdout);`.replaceAll('\n', '');

describeOnHost('a caller of ssm-ssh', () => {
  const stand = useHost();

  it.each([
    ['GIT_SSH, with a port', () => `GIT_SSH=${program}`, true],
    ['-oPort=', (port: number) => `GIT_SSH_COMMAND='${program} -oPort=${String(port)}'`, false],
    ['-o Port and a tab', (port: number) => `GIT_SSH_COMMAND='${program} -o "Port\t${String(port)}"'`, false],
    [
      '-o, a space and Port',
      (port: number) => `GIT_SSH_COMMAND='${program} -o " Port=${String(port)}"'`,
      false,
    ],
  ])('gets the key of the port in %s', async (_, setting, inUrl) => {
    const { host, git } = stand;
    delete host.env['SSM_SSH_KEY'];
    delete host.env['GIT_SSH_COMMAND'];
    host.configure([`[ssm "${git.address}:${String(git.port)}/acme/lib"]`, 'key = /ci/key']);
    const url = inUrl ? git.url('acme/lib') : `${git.user}@${git.address}:acme/lib.git`;
    const { stderr, code } = await host.run(`${setting(git.port)} git ls-remote ${url}`);
    expect([stderr, code, stand.calls()]).toEqual(['', 0, 1]);
  });

  it('for git-lfs-transfer gets the key of the repository', async () => {
    const { host, git, key } = stand;
    delete host.env['SSM_SSH_KEY'];
    host.configure([`[ssm "${git.address}:${String(git.port)}/acme/lib"]`, 'key = /ci/key']);
    const target = `-p ${String(git.port)} ${git.user}@${git.address}`;
    const { stderr } = await host.run(`${program} ${target} git-lfs-transfer acme/lib.git download || true`);
    expect(stderr).toContain("Invalid command: 'git-lfs-transfer acme/lib.git download'");
    expect((await git.log()).at(-1)?.accepted).toBe(key.fingerprint);
  });

  it('that only probes it, as git does, starts nothing; one that reads the answer gets ssh’s', async () => {
    const probe = `${program} -G git.example.com`;
    const probed = await stand.host.run(`PATH=/nowhere; ${probe} >/dev/null`);
    expect([probed.stderr, probed.code]).toEqual(['', 0]);
    const { stdout } = await stand.host.run(probe);
    expect(stdout).toContain('hostname git.example.com\n');
    expect(stand.calls()).toBe(0);
  });

  describeWith('sshd')('for a shell', () => {
    let login: LoginHost;
    beforeAll(async () => {
      login = await startLoginHost(stand.key.publicKey);
    });
    afterAll(async () => {
      await login.stop();
    });
    const target = (): string =>
      `-o StrictHostKeyChecking=accept-new -o Port=${String(login.port)} ${login.user}@127.0.0.1`;

    it('like ansible gets it', async () => {
      const { stdout, code } = await stand.host.run(
        `${program} -C -o KbdInteractiveAuthentication=no -o PasswordAuthentication=no -o ConnectTimeout=10 ${target()} '/bin/sh -c '"'"'echo ~ && sleep 0'"'"''`,
        { SSM_SSH_STRICT_HOST_KEY_CHECKING: 'accept-new' },
      );
      expect([stdout, code]).toEqual([expect.stringMatching(/^\/.*\n$/), 0]);
    });

    it.each([
      [
        'like ansible, with shared connections',
        '-C -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=HOME/cm-%C',
      ],
      ['like mosh', `-n -tt -S none -o ProxyCommand="${process.execPath} -e '${proxy}' %h %p"`],
    ])('%s uses ssh and its keys', async (name, options) => {
      const { host } = stand;
      const command = name.includes('mosh') ? '-- mosh-server new' : 'true';
      const known = `-o UserKnownHostsFile=${host.home}/learnt`;
      const { stderr, code } = await host.run(
        `${program} ${options.replace('HOME', host.home)} ${known} ${target()} ${command}`,
      );
      expect(code).toBe(255);
      expect(stderr).toContain('Permission denied (publickey)');
      expect([stand.calls(), host.processes()]).toEqual([0, []]);
    });
  });
});
