/** A connection to AWS that is reset (RST) in the middle of a transfer, met by the programs as they are installed. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { ACCOUNT, REGION } from '../../support/aws/world.ts';
import { project } from '../../support/ec2-host.ts';
import { useEc2 } from './use-ec2.ts';
import { describeOnHost } from '../../support/on-host.ts';

const agent = join(project, 'helper/ssm-ssh-agent');
const size = 1_000_000;
/** Bytes of a socket's life. */
const resetAfter = size / 6;
const learned = /^Warning: Permanently added .*\r\n/;

describeOnHost('a socket to Session Manager that is reset five times', () => {
  const stage = useEc2();
  beforeEach(() => {
    const { instanceId, ports } = stage.instance;
    // As slow as the real one: what a reset loses on its way to the client comes again at 10 KB/s.
    const agentOptions = { account: ACCOUNT, region: REGION, instanceId, ports, pace: 1 };
    stage.world.aws.sessions.connectAgent(agentOptions);
  });
  afterEach(() => {
    const { sessions } = stage.world.aws;
    sessions.faults = {};
    sessions.stop();
    sessions.forget();
  });

  const up = (ssh: string): string => `${ssh} "cat >$PWD/there" <here`;
  const down = (ssh: string): string => `mv here there; ${ssh} "cat $PWD/there" >here`;

  it.each([
    ['up, by ssm-ssh', 'toAgent', () => up(stage.ssh)],
    ['down, by ssm-ssh', 'toClient', () => down(stage.ssh)],
    ['up, by ssh and its proxy', 'toAgent', () => up(`ssh -F config ${stage.target}`)],
    ['down, by ssh and its proxy', 'toClient', () => down(`ssh -F config ${stage.target}`)],
  ])('loses no byte of a transfer %s', async (_, direction, transfer) => {
    const { host, world } = stage;
    const { sessions } = world.aws;
    sessions.faults = { resetAfterBytes: { [direction]: resetAfter } };
    const { code, stderr } = await host.run(
      `${agent} setup --global --via session-manager >config 2>/dev/null
      head -c ${size} /dev/urandom >here; ${transfer()}; cmp here there`,
    );
    expect([stderr.replace(learned, ''), code]).toEqual(['', 0]);
    expect(sessions.ended.at(-1)?.sockets).toBeGreaterThan(5);
    expect(sessions.violations).toEqual([]);
  });
});
