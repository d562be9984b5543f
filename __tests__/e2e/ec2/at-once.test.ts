import { expect } from '@jest/globals';
import { REGION } from '../../support/aws/world.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { it, itInRest } from '../../support/parts.ts';
import { useEc2 } from './use-ec2.ts';

describeOnHost('many connections to EC2 hosts', () => {
  const stage = useEc2();

  const shareAKey = async (connections: number): Promise<void> => {
    const { host, ssh, world, count } = stage;
    const { stdout, stderr } = await host.run(
      `${ssh} true; rm -r ${host.state}/ec2/keys
      for i in $(seq ${connections}); do ${ssh} echo $i & done; wait; SSH_AUTH_SOCK=${host.state}/ec2/agent ssh-add -l | wc -l`,
      { SSM_SSH_TIMEOUT: '60s', AWS_REGION: REGION },
    );
    expect(stderr.replace(/^Warning: Permanently added .*\r\n/, '')).toBe('');
    const lines = stdout.trim().split('\n').map(Number);
    // The lifetime of the first connection's key, whose folder was removed, and that of all others.
    expect([lines.slice(0, -1).sort((a, b) => a - b), lines.at(-1)]).toEqual([
      Array.from({ length: connections }, (_, index) => index + 1),
      2,
    ]);
    expect(count('ec2-instance-connect:SendSSHPublicKey')).toBe(2);
    expect([world.aws.sessions.open, world.aws.sessions.violations]).toEqual([[], []]);
  };
  const sharing = 'come at once to a host that nobody has reached before';
  it(`share a key, when 8 of them ${sharing}`, () => shareAKey(8));
  itInRest(`share a key, when 32 of them ${sharing}`, () => shareAKey(32));

  it('carry 5 MB unchanged in both directions', async () => {
    const { host, target } = stage;
    const { code, stderr } = await host.run(
      `head -c 5000000 /dev/urandom >up
      scp -q -S ${stage.ssh.split(' ')[0] ?? ''} up ${target}:$PWD/there
      scp -q -S ${stage.ssh.split(' ')[0] ?? ''} ${target}:$PWD/there down
      cmp up there; cmp up down`,
    );
    expect([stderr.replace(/^Warning: Permanently added .*\r\n/, ''), code]).toEqual(['', 0]);
  });
});
