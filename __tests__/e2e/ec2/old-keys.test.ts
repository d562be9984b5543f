/** Connections whose pushed key was made by an earlier one, and whose minute ends early. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { launch } from '../../support/reachable-ec2.ts';
import { useEc2 } from './use-ec2.ts';

describeOnHost('a key that an earlier connection pushed', () => {
  const stage = useEc2();
  const pushes = (): number => stage.count('ec2-instance-connect:SendSSHPublicKey');

  /** Instead of waiting: what the programs read is older. */
  const leave = (seconds: number): void => {
    const keys = join(stage.host.state, 'ec2/keys');
    for (const name of readdirSync(keys)) {
      const file = join(keys, name, 'made');
      const made = JSON.parse(readFileSync(file, 'utf8')) as object;
      writeFileSync(file, JSON.stringify({ ...made, until: Date.now() / 1000 + seconds }));
    }
  };

  it('is replaced if little of its minute is left when the tunnel is open', async () => {
    const { host, ssh, world } = stage;
    const started = Date.now();
    expect((await host.run(`${ssh} echo one`)).stdout).toBe('one\n');
    // A key with less than twenty seconds would be replaced before the tunnel opens: a busy machine has this time to
    // start. What is left of it passes before the session starts, in up to three tries of ten seconds.
    const start = Math.min(20, Math.max(4, ((Date.now() - started) / 1000) * 3));
    leave(20 + start);
    const latency = setTimeout((start + 5.5) * 1000);
    world.aws.faults.order({ operation: 'ssm:StartSession', fault: { latency } });
    const two = await host.run(`${ssh} echo two`, { SSM_SSH_TIMEOUT: '60s' });
    world.aws.faults.clear();
    expect(two.stdout).toBe('two\n');
    // Pushed when the tunnel is open, and not before.
    const [opened, pushed] = ['ssm:StartSession', 'ec2-instance-connect:SendSSHPublicKey'].map((name) =>
      world.aws.calls.findLast(({ operation }) => operation === name),
    );
    expect(pushed?.startedAt).toBeGreaterThanOrEqual(opened?.finishedAt ?? Infinity);
    expect(pushes()).toBe(2);
    expect((await host.run(`${ssh} echo three`)).stdout).toBe('three\n');
    expect(pushes()).toBe(2);
  }, 90_000);

  it('is said to be over if the host refuses it later', async () => {
    const { host, world } = stage;
    const bare = await launch(world, { instanceConnect: false });
    const ssh = `${program} -o BatchMode=yes ${bare.user}@${bare.instanceId}`;
    try {
      const { stderr: before } = await host.run(`${ssh} true`);
      expect(before).toMatch(/refused the pushed key of .*\nhint: check that the user/);
      // A busy machine has ten seconds to start: a key with less than twenty would be replaced.
      leave(32);
      world.aws.sessions.faults = { stall: { afterBytes: 4_000, for: 36_000 } };
      const { stderr } = await host.run(`${ssh} true`, { SSM_SSH_TIMEOUT: '60s' });
      expect(stderr).toMatch(/INSTANCE_CONNECT_FAILED: .* refused the pushed key of .*\nhint: .*minute/);
    } finally {
      world.aws.sessions.faults = {};
      await bare.stop();
    }
  }, 90_000);
});
