import { afterAll, beforeAll, expect } from '@jest/globals';
import { ACCOUNT, REGION } from '../../support/aws/world.ts';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { startEc2Instance, type Ec2Instance } from '../../support/ec2-instance.ts';
import { launch } from '../../support/reachable-ec2.ts';
import { useEc2 } from './use-ec2.ts';
import { itInTurn as it } from '../../support/parts.ts';

describeOnHost('a tag as the name of an EC2 host', () => {
  const stage = useEc2();
  const others: Ec2Instance[] = [];
  beforeAll(async () => {
    others.push(await launch(stage.world, { tags: { Name: 'Two words', role: 'web' } }));
    stage.world.aws.ec2.launch({ tags: { role: 'web', Name: 'web-2' } });
    stage.world.aws.ec2.launch({ tags: { Name: 'old' }, state: 'stopped' });
  });
  afterAll(async () => {
    await Promise.all(others.map((other) => other.stop()));
  });

  it('selects the one running instance with this tag, and its host key is stored under its id', async () => {
    const { host, instance } = stage;
    const { stdout, stderr } = await host.run(
      `${program} ${instance.user}@Name=web-1 echo hello; ${program} ${stage.target} echo again
      echo there >f; scp -q -S ${program} f ${instance.user}@Name=web-1:$PWD/copy; cat copy`,
    );
    expect(stdout).toBe('hello\nagain\nthere\n');
    expect(stderr.match(/Permanently added '[^']*'/g)).toEqual([
      `Permanently added '${instance.instanceId}'`,
    ]);
    expect(stage.count('ec2-instance-connect:SendSSHPublicKey')).toBe(1);
  });

  it('has one host key for each port, as with plain ssh', async () => {
    const { host, instance, world, target } = stage;
    const { instanceId, ports } = instance;
    const second = await startEc2Instance(world.aws, { authorizedKeys: [] });
    others.push(second);
    const both = { ...ports, 2222: second.port };
    world.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports: both });
    // The second sshd knows no key.
    const { stdout, stderr } = await host.run(
      `${program} ${target} echo first; ${program} -p 2222 ${target} true || :; ${program} ${target} echo third`,
    );
    expect(stdout).toBe('first\nthird\n');
    expect(stderr).toContain(`Permanently added '[${instanceId}]:2222'`);
    expect(stderr).not.toContain('CHANGED');
  });

  it('is case-sensitive and may contain spaces', async () => {
    const { host, instance } = stage;
    const { stdout } = await host.run(`${program} ${instance.user}@'Name=Two words' echo hello`);
    expect(stdout).toBe('hello\n');
  });

  it.each([
    ['role=web', 'TARGET_AMBIGUOUS', /i-\w+ .*web-2/],
    ['Name=nobody', 'TARGET_NOT_FOUND', /Name=nobody/],
    ['Name=old', 'TARGET_NOT_FOUND', /stopped/],
    ['name=web-1', 'TARGET_NOT_FOUND', /name=web-1/],
  ])('reports before ssh starts if %s is %s', async (name, code, text) => {
    const { host, count } = stage;
    const ran = await host.run(`${program} ec2-user@${name} true`);
    expect(ran.stderr).toMatch(new RegExp(`^ssm-ssh: ${code}: [^\n]*\nhint: [^\n]*\n$`));
    expect(ran.stderr).toMatch(text);
    expect([ran.code, count('ssm:StartSession')]).toEqual([255, 0]);
  });
});
