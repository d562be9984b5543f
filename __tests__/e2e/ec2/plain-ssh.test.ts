/** Plain ssh with the block that setup prints for ~/.ssh/config. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { canMount, program, project } from '../../support/ec2-host.ts';
import { describeWhere } from '../../support/needs.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { useEc2 } from './use-ec2.ts';
import { itInTurn as it } from '../../support/parts.ts';

const agent = join(project, 'helper/ssm-ssh-agent');

describeOnHost("setup's block of ~/.ssh/config", () => {
  const stage = useEc2();
  /** With -F, because ssh does not look for it in HOME. */
  const configured = `${agent} setup --global --via session-manager >config 2>told`;

  it('connects ssh, scp, sftp and rsync to EC2 hosts', async () => {
    const { host, target } = stage;
    const { stdout, stderr } = await host.run(
      `${configured}; cat told
      ssh -F config ${target} echo hello
      echo one >f; scp -q -F config f ${target}:$PWD/scp; cat scp
      echo "put f $PWD/sftp" | sftp -q -F config -b - ${target} >/dev/null; cat sftp
      if command -v rsync >/dev/null; then rsync -e "ssh -F config" f ${target}:$PWD/rsync; else cp f rsync; fi; cat rsync`,
    );
    expect(stdout).toMatch(/ssm\.via = session-manager\n[^]*\nhello\none\none\none\n$/);
    expect(stderr).toMatch(/^Warning: Permanently added '[^\n]*\n$/);
    expect(stage.count('ec2-instance-connect:SendSSHPublicKey')).toBe(1);
  });

  it("works with a user's own name for a host, and with the host as a jump host", async () => {
    const { host, instance } = stage;
    const { stdout, stderr } = await host.run(
      `${configured}; printf 'Host web\n  HostName ${instance.instanceId}\n  User ${instance.user}\n' >all; cat config >>all
      ssh -F all web echo hello
      ssh -F all -o StrictHostKeyChecking=accept-new -o BatchMode=yes -J web -p ${instance.port} nobody@127.0.0.1 true || true`,
    );
    expect(stdout).toBe('hello\n');
    expect(stderr).toContain('nobody@127.0.0.1: Permission denied (publickey)');
  });

  it('gives a hint if a user is refused', async () => {
    const { host, instance } = stage;
    const { code, stderr } = await host.run(
      `${configured}; ssh -F config -o BatchMode=yes ubuntu@${instance.instanceId} true`,
    );
    expect(code).toBe(255);
    expect(stderr).toMatch(
      new RegExp(
        `ssm-ssh-agent: INSTANCE_CONNECT_FAILED: ${instance.instanceId} refused the pushed key of ubuntu\nhint: `,
      ),
    );
  });

  it.each([
    ['ssh', 'ssh -F ../config'],
    ['ssm-ssh', program],
  ])('ignores the connection method, Region and role of a foreign repository: %s', async (_, ssh) => {
    const { host, target, count } = stage;
    const { stdout } = await host.run(
      `${configured}; git init -q --bare evil; cd evil
      printf '[ssm]\nvia = direct\nregion = eu-central-1\nroleArn = arn:aws:iam::444455556666:role/evil\n' >>config
      ${ssh} ${target} echo hello`,
    );
    expect([stdout, count('ssm:StartSession')]).toEqual(['hello\n', 1]);
  });

  it('uses an agent that flush ends', async () => {
    const { host, target } = stage;
    await host.run(`${configured}; ssh -F config ${target} true`);
    expect(host.processes().some(({ command }) => command.includes('/ec2/agent'))).toBe(true);
    await host.run(`${agent} flush`);
    expect([host.processes(), existsSync(host.state)]).toEqual([[], false]);
  });

  const login = 'mkdir -m 700 run-user/$(id -u)';
  const old = '.cache/ssm-ssh-agent-$(id -u)';
  const ended = `mkdir -p .cache; mkdir -m 700 ${old}; eval $(ssh-agent -a $PWD/${old}/agent) >/dev/null; kill -9 $SSH_AGENT_PID`;
  describeWhere(canMount, 'another /run/user needs root')('finds the agent and the host keys', () => {
    it.each([
      ['of a user who logs in after setup', ':', login],
      ['of a service, which has no folder of a login', login, 'rm -r run-user/*'],
      ['of a user who has the socket of an agent that ended', login, ended],
    ])('%s', async (_, before, after) => {
      const { host, target } = stage;
      const { stdout, stderr } = await host.run(
        `${before}; ${configured}; ${after}
        for word in one two; do ssh -F config -o BatchMode=yes ${target} echo $word; done`,
      );
      expect(stdout).toBe('one\ntwo\n');
      expect(stderr).toMatch(/^Warning: Permanently added '[^\n]*\n$/);
    });
  });

  it('refuses a folder of the block that others may write to, or that is no whole path', async () => {
    const { host, target } = stage;
    const { stderr } = await host.run(
      `${configured}; mkdir -p .cache; mkdir -m 777 .cache/ssm-ssh-agent-$(id -u)
      ssh -F config ${target} true || true; ${agent} proxy --state here -- i-0123456789abcdef0 22`,
    );
    expect(stderr).toMatch(
      /STATE_UNSAFE: \/\S+, which ssh's configuration names, is not usable: others may write to it\nhint: /,
    );
    expect(stderr).toContain('INPUT_INVALID: --state is no whole path: "here"\nhint: ');
  });

  it('names each call to AWS with proxy --verbose, and none without it', async () => {
    const { host, instance } = stage;
    const line = `${agent} proxy ${instance.instanceId} 22 </dev/null`;
    const { stderr, stdout } = await host.run(`${line} --verbose`);
    expect(stderr).toMatch(/^ssm-ssh-agent: ssm:StartSession .*: .* \(\d+ ms\)$/m);
    expect(stdout).toMatch(/^(SSH-.*)?$/s);
    expect((await host.run(line)).stderr).toBe('');
  });

  it('shows the arguments of proxy', async () => {
    const { stderr, code } = await stage.host.run(`${agent} proxy i-0123456789abcdef0`);
    expect([stderr, code]).toEqual([
      'ssm-ssh-agent: INPUT_INVALID: proxy takes HOST PORT [USER]\n' +
        "hint: write ProxyCommand ssm-ssh-agent proxy -- '%h' %p '%r'\n",
      2,
    ]);
    const { stderr: named } = await stage.host.run(`${agent} proxy host.example.com 22`);
    expect(named).toMatch(
      /^ssm-ssh-agent: INPUT_INVALID: not the name of an EC2 host: "host.example.com"\nhint: /,
    );
  });

  it.each([
    [['region = Ireland'], 'ssm.region (SSM_SSH_REGION) is not a region: "Ireland"'],
    [
      ['region =', 'timeout =', 'roleArn = ci'],
      'ssm.roleArn (SSM_SSH_ROLE_ARN) is not the ARN of a role: "ci"',
    ],
    [['via = ferry'], 'ssm.via (SSM_SSH_VIA) is not a way to connect: "ferry"'],
  ])('names the wrong setting of proxy, and ignores empty ones: %j', async (lines, told) => {
    stage.host.configure(['[ssm]', ...lines]);
    const { stderr } = await stage.host.run(`${agent} proxy i-0123456789abcdef0 22`, { SSM_SSH_VIA: '' });
    expect(stderr.split('\n')[0]).toBe(`ssm-ssh-agent: INPUT_INVALID: ${told}`);
  });
});
