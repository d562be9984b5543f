/** Error messages if a host cannot be reached, or refuses the login. */
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { ACCOUNT, allow, REGION } from '../../support/aws/world.ts';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { launch, reachHosts } from '../../support/reachable-ec2.ts';
import { useEc2 } from './use-ec2.ts';
import { describeInTurn, itInTurn as it } from '../../support/parts.ts';

/** ssh's own message for a closed connection. */
const closed = /^(kex_exchange_identification: [^\n]*\n)?Connection closed by [^\n]*\n/m;

describeOnHost('ssm-ssh to an EC2 host that cannot be reached', () => {
  const stage = useEc2();
  const told = async (ssh: string): Promise<{ readonly code: number; readonly text: string }> => {
    const { code, stderr } = await stage.host.run(ssh);
    return { code, text: stderr.replace(closed, '').replace(/^Warning: Permanently added .*\r\n/m, '') };
  };

  it('reports that the agent of an instance is not connected', async () => {
    const { instanceId } = stage.world.aws.ec2.launch();
    const { code, text } = await told(`${program} ec2-user@${instanceId} true`);
    expect(code).toBe(255);
    expect(text).toMatch(new RegExp(`^ssm-ssh: SESSION_FAILED: .*${instanceId}.*\nhint: .+\n$`));
  });

  it('reports that an instance is stopped, and not only that its agent is not connected', async () => {
    const { instanceId } = stage.world.aws.ec2.launch({ state: 'stopped' });
    const { text } = await told(`${program} ec2-user@${instanceId} true`);
    expect(text).toMatch(new RegExp(`^ssm-ssh: TARGET_NOT_FOUND: .*${instanceId}.*\nhint: .+\n$`));
  });

  it('reports that for proxy without a user, too', async () => {
    const { ec2 } = stage.world.aws;
    const agent = join(program, '../ssm-ssh-agent');
    for (const [state, code] of [
      ['stopped', 'TARGET_NOT_FOUND'],
      ['running', 'SESSION_FAILED'],
    ] as const) {
      const { instanceId } = ec2.launch({ state });
      const { text } = await told(`${agent} proxy ${instanceId} 22 </dev/null`);
      expect(text).toMatch(new RegExp(`^ssm-ssh-agent: ${code}: .*${instanceId}.*\nhint: .+\n$`));
    }
  });

  it('reports it for proxy also without permission to look at the instance', async () => {
    const { aws } = stage.world;
    const { instanceId } = aws.ec2.launch();
    const userArn = `arn:aws:iam::${ACCOUNT}:user/sessions`;
    const policies = [allow('ssm:StartSession', '*')];
    const environment = aws.environment({ credentials: aws.iam.createAccessKey({ userArn, policies }) });
    Object.assign(stage.host.env, environment, { AWS_REGION: REGION });
    const { text } = await told(`${join(program, '../ssm-ssh-agent')} proxy ${instanceId} 22 </dev/null`);
    expect(text).toMatch(new RegExp(`^ssm-ssh-agent: SESSION_FAILED: .*${instanceId}.*\nhint: .+\n$`));
  });

  it('reports a mistyped id, in addition to ssh’s message', async () => {
    for (const host of ['i-0123456789abcdefg', 'i-0123456789abcdef', 'mi-0123456789abcdef0a']) {
      const { text } = await told(`${program} ec2-user@${host} true`);
      expect(text).toMatch(
        new RegExp(
          `^ssm-ssh: warning: ${host} is no id of an EC2 host: .*\nhint: .*8 or 17 .*\nssh: Could not resolve`,
        ),
      );
    }
    const { text } = await told(
      `${program} ec2-user@i-build-01 true; ${program} i-0123456789.example.test true`,
    );
    expect(text).not.toContain('warning');
  });

  it('reports that nothing listens on the port', async () => {
    const { ssh, instance, world } = stage;
    const { code, text } = await told(`${ssh} -p 2222 true`);
    expect(text).toMatch(
      new RegExp(`^ssm-ssh: TUNNEL_FAILED: .*2222 of ${instance.instanceId}.*\nhint: .+\n$`),
    );
    expect([code, world.aws.sessions.open]).toEqual([255, []]);
  });

  it('reports the refused user, and the usual reasons', async () => {
    const { host, instance } = stage;
    const { code, stderr } = await host.run(`${program} -o BatchMode=yes ubuntu@${instance.instanceId} true`);
    expect(code).toBe(255);
    expect(stderr).toContain('Permission denied (publickey)');
    expect(stderr).toMatch(
      new RegExp(
        `\nssm-ssh: INSTANCE_CONNECT_FAILED: ${instance.instanceId} refused the pushed key of ubuntu\n` +
          'hint: check that the user ubuntu .* package ec2-instance-connect is installed .*ec2:osuser.*\n$',
      ),
    );
  });

  it('reports an instance without the package, for the right user', async () => {
    const bare = await launch(stage.world, { instanceConnect: false });
    try {
      const { text } = await told(`${program} ${bare.user}@${bare.instanceId} true`);
      expect(text).toContain('ssm-ssh: INSTANCE_CONNECT_FAILED: ');
    } finally {
      await bare.stop();
    }
  });

  it('does not report a login if the command itself exits with 255', async () => {
    const { code, text } = await told(`${stage.ssh} 'echo no >&2; exit 255'`);
    expect([code, text]).toEqual([255, 'no\n']);
  });

  it('refuses a host with a changed host key, and does not report a login', async () => {
    const { world, host } = stage;
    const before = await launch(world);
    await host.run(`${program} ${before.user}@${before.instanceId} true`);
    await before.stop();
    const after = await launch(world, { instanceId: before.instanceId });
    try {
      const { code, stderr } = await host.run(`${program} ${after.user}@${after.instanceId} true`);
      expect(code).toBe(255);
      expect(stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
      expect(stderr).not.toContain('INSTANCE_CONNECT_FAILED');
    } finally {
      await after.stop();
    }
  });

  it('reports an invalid connection method', async () => {
    stage.host.env['SSM_SSH_VIA'] = 'pigeon';
    const { text } = await told(`${stage.ssh} true`);
    expect(text).toMatch(
      /^ssm-ssh: INPUT_INVALID: ssm.via \(SSM_SSH_VIA\) is not a way to connect: "pigeon"\nhint: /,
    );
  });

  it('reports a missing Region', async () => {
    stage.world.aws.metadata.set({ account: ACCOUNT, region: REGION, access: 'disabled' });
    const { text } = await told(`${stage.ssh} true`);
    expect(text).toMatch(/^ssm-ssh: REGION_MISSING: .*\nhint: /);
  });
});

describeInTurn(describeOnHost)('ssm-ssh without permission to push a key', () => {
  const stage = useEc2({ policies: [...reachHosts.slice(0, 1), ...reachHosts.slice(2)] });

  it('shows the missing statement, and leaves no session open', async () => {
    const { ssh, host, world, instance } = stage;
    const { code, stderr } = await host.run(`${ssh} true`);
    expect(code).toBe(255);
    expect(stderr).toMatch(
      /^ssm-ssh: INSTANCE_CONNECT_FAILED: .*\nhint: .*ec2-instance-connect:SendSSHPublicKey/,
    );
    expect(stderr).toContain(instance.instanceId);
    expect(world.aws.sessions.open).toEqual([]);
  });
});

describeInTurn(describeOnHost)('ssm-ssh without permission to start a session', () => {
  const stage = useEc2({ policies: [allow('ec2-instance-connect:*', '*')] });

  it('shows the missing statement', async () => {
    const { stderr } = await stage.host.run(`${stage.ssh} true`);
    expect(stderr).toMatch(/^ssm-ssh: SESSION_FAILED: .*\nhint: .*ssm:StartSession/);
  });

  it('shows that statement also without permission to push a key', async () => {
    const { aws } = stage.world;
    const userArn = `arn:aws:iam::${ACCOUNT}:user/nothing`;
    const credentials = aws.iam.createAccessKey({ userArn, policies: [] });
    Object.assign(stage.host.env, aws.environment({ credentials }), { AWS_REGION: REGION });
    const { stderr } = await stage.host.run(`${stage.ssh} true`);
    expect(stderr).toMatch(/^ssm-ssh: SESSION_FAILED: .*\nhint: .*ssm:StartSession/);
  });
});

describeInTurn(describeOnHost)('ssm-ssh through an Instance Connect Endpoint', () => {
  const stage = useEc2({ via: 'instance-connect-endpoint' });

  it('reaches the host, and reports a VPC without an endpoint', async () => {
    const { ssh, host, world } = stage;
    const { stdout } = await host.run(`${ssh} echo hello`);
    expect([stdout, world.aws.sessions.ended]).toEqual(['hello\n', []]);
    const elsewhere = world.aws.ec2.launch({ vpcId: 'vpc-0other000' });
    const { stderr } = await host.run(`${program} root@${elsewhere.instanceId} true`);
    expect(stderr).toMatch(/^ssm-ssh: T[A-Z_]+: .*vpc-0other000.*\nhint: /);
  });
});
