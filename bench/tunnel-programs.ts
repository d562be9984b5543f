/** Transfers through Session Manager's tunnel by the real programs: ssm-ssh, ssh and sshd. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  isOpen,
  madeBytes,
  type Transfer,
  type TransferOutcome,
} from '../__tests__/ec2/session-manager/transfer.ts';
import { ACCOUNT, REGION, startReadyWorld, type ReadyWorld } from '../__tests__/support/aws/world.ts';
import { Ec2Host, launchInstance, program } from '../__tests__/support/ec2-host.ts';
import type { Ec2Instance } from '../__tests__/support/ec2-instance.ts';
import { launch, reachHosts } from '../__tests__/support/reachable-ec2.ts';

/** A host, and an instance that it reaches. */
export interface Pair {
  readonly host: Ec2Host;
  readonly instance: Ec2Instance;
}

export interface ProgramWorld {
  readonly world: ReadyWorld;
  readonly pairs: readonly Pair[];
  readonly stop: () => Promise<void>;
}

export async function startProgramWorld(count: number): Promise<ProgramWorld> {
  const world = await startReadyWorld();
  launchInstance(world, reachHosts);
  const pairs = await Promise.all(
    Array.from({ length: count }, async () => {
      const host = new Ec2Host(world, [], { SSM_SSH_VIA: 'session-manager' });
      host.configure([]);
      return { host, instance: await launch(world) };
    }),
  );
  return {
    ...{ world, pairs },
    stop: async () => {
      for (const { host } of pairs) host.dispose();
      await Promise.all(pairs.map(({ instance }) => instance.stop()));
      await world.stop();
    },
  };
}

/** Both ways at the same time, in one session. @throws Error with what the programs said */
export async function transferByPrograms(
  { aws }: ReadyWorld,
  { host, instance }: Pair,
  { trouble, size, seed = 1 }: Transfer,
): Promise<TransferOutcome> {
  const { instanceId, ports, user } = instance;
  const faults = { ...trouble.faults, seed };
  aws.sessions.connectAgent({
    account: ACCOUNT,
    region: REGION,
    instanceId,
    ports,
    ...trouble.agent,
    faults,
  });
  const [there, back] = [join(host.home, 'there'), join(host.home, 'back')];
  const [up, down] = [madeBytes(`up ${seed}`, size), madeBytes(`down ${seed}`, size)];
  writeFileSync(join(host.home, 'up'), up);
  writeFileSync(join(host.home, 'down'), down);
  const remote = `cat ${join(host.home, 'down')} & cat >${there}; wait`;
  const { code, stderr, took } = await host.run(`${program} ${user}@${instanceId} '${remote}' <up >back`);
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr.trim()}`);
  // TerminateSession is sent, but not waited for.
  for (let waited = 0; waited < 3000 && isOpen(aws, instanceId); waited += 50) await sleep(50);
  const { id, sockets = 0 } = aws.sessions.ended.findLast(({ target }) => target === instanceId) ?? {};
  const violations = aws.sessions.violations.filter(({ sessionId }) => sessionId === id);
  return {
    right: { up: readFileSync(there).equals(up), down: readFileSync(back).equals(down) },
    violations: violations.map(({ what }) => what),
    ...{ ended: !isOpen(aws, instanceId), sockets, milliseconds: took },
  };
}
