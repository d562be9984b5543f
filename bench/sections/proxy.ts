/** Connections to an EC2 host through Session Manager: the time to connect, and the throughput. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACCOUNT, allow, REGION, startReadyWorld } from '../../__tests__/support/aws/world.ts';
import { Ec2Host, launchInstance, program, project } from '../../__tests__/support/ec2-host.ts';
import { startEc2Instance } from '../../__tests__/support/ec2-instance.ts';
import { makeSshKey } from '../../__tests__/support/ssh-keys.ts';
import { bundled } from '../bundled.ts';
import { takeTurns, type Round } from '../measure.ts';
import { succeed, waysOn, type HostCommand } from '../on-host.ts';
import { figureOf, wall, waysOf, type Figure, type Section } from '../results.ts';

/** Size of the copied file in bytes. */
const size = 50_000_000;
const copies = 3;

interface Stage {
  readonly host: Ec2Host;
  /** Commands without arguments. */
  readonly ours: string;
  readonly plain: string;
  /** `user@instance`, and `user@127.0.0.1`. */
  readonly target: string;
  readonly here: string;
  readonly instanceId: string;
  readonly user: string;
  readonly stop: () => Promise<void>;
}

async function open(): Promise<Stage> {
  const [world, key] = await Promise.all([startReadyWorld(), makeSshKey()]);
  const everything = allow(['ssm:*', 'ssmmessages:*', 'ec2:*', 'ec2-instance-connect:*'], '*');
  launchInstance(world, [everything]);
  const instance = await startEc2Instance(world.aws, { authorizedKeys: [key.publicKey] });
  const { instanceId, ports, port, user, hostKey } = instance;
  world.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports });
  const userArn = `arn:aws:iam::${ACCOUNT}:user/ops`;
  const credentials = world.aws.iam.createAccessKey({ userArn, policies: [everything] });
  // As on a laptop with credentials in the environment, which neither program has to ask for.
  const host = new Ec2Host(world, [], { AWS_REGION: REGION, ...world.aws.environment({ credentials }) });
  host.configure([]);
  writeFileSync(join(host.home, 'key'), key.privateKey, { mode: 0o600 });
  writeFileSync(join(host.home, 'known'), `[127.0.0.1]:${port} ${hostKey.publicKey}\n`);
  const options = `-F none -i key -o UserKnownHostsFile=known`;
  return {
    ...{ host, instanceId, user, ours: program },
    ...{ target: `${user}@${instanceId}`, here: `${user}@127.0.0.1` },
    plain: `${options} -o Port=${port}`,
    stop: async () => {
      host.dispose();
      await instance.stop();
      await world.stop();
    },
  };
}

/** "first": no key has been pushed. "next": the pushed key is still valid, for a minute. */
function connections(
  { ours, plain, target, here, instanceId, user }: Stage,
  byHand: string,
): Record<string, HostCommand> {
  const handshake = `${process.execPath} ${byHand} ${instanceId}`;
  return {
    'the first connection': {
      before: `${join(project, 'helper/ssm-ssh-agent')} flush --quiet`,
      run: `${ours} ${target} true`,
    },
    'the next connection': { run: `${ours} ${target} true` },
    'plain ssh': { run: `ssh ${plain} ${here} true` },
    'a handshake by hand': { run: handshake },
    'a handshake by hand, with a pushed key': { run: `${handshake} ${user}` },
  };
}

/** Copies a file, and compares it. */
function transfers({ host, ours, plain, target, here }: Stage): Record<string, HostCommand> {
  writeFileSync(join(host.home, 'big'), randomBytes(size));
  const there = join(host.home, 'there');
  return {
    'scp up': { run: `scp -q -S ${ours} big ${target}:${there}` },
    'scp down': { before: 'cmp big there', run: `scp -q -S ${ours} ${target}:${there} back` },
    'scp up, plain ssh': { before: 'cmp big back', run: `scp -q ${plain} big ${here}:${there}` },
    'scp down, plain ssh': { run: `scp -q ${plain} ${here}:${there} back` },
  };
}

function figuresOf(connected: readonly Round[], copied: readonly Round[]): Record<string, Figure> {
  const beside = (way: string, byHand: string): Figure =>
    figureOf(connected, (round) => wall(round, way) / wall(round, byHand, 'plain ssh'));
  const speed = (way: string): Figure => figureOf(copied, (round) => size / 1000 / wall(round, way), 'MB/s');
  return {
    'the first connection / (by hand with a pushed key + plain ssh)': beside(
      'the first connection',
      'a handshake by hand, with a pushed key',
    ),
    'the next connection / (by hand + plain ssh)': beside('the next connection', 'a handshake by hand'),
    'throughput up': speed('scp up'),
    'throughput down': speed('scp down'),
    'throughput up, plain ssh': speed('scp up, plain ssh'),
    'throughput down, plain ssh': speed('scp down, plain ssh'),
  };
}

export const proxy: Section = {
  name: 'proxy',
  title: 'Connections to EC2 hosts',
  about: `\`ssm-ssh HOST true\` through Session Manager, beside plain ssh to the same sshd, and beside a minimal program that only makes the handshake with Session Manager. Then a file of ${size / 1e6} MB is copied both ways. Session Manager is local: it has no limit of its own.`,
  run: async ({ rounds }) => {
    const byHand = await bundled('floors/session');
    const stage = await open();
    try {
      const connected = await takeTurns(rounds, waysOn(stage.host, connections(stage, byHand.path)));
      const copied = await takeTurns(copies, [
        async () => {
          let round: Round = {};
          for (const way of waysOn(stage.host, transfers(stage))) round = { ...round, ...(await way()) };
          return round;
        },
      ]);
      await succeed(stage.host, 'cmp big back');
      return {
        ways: { ...waysOf(connected), ...waysOf(copied) },
        figures: figuresOf(connected, copied),
        notRun: [],
      };
    } finally {
      await stage.stop();
      byHand.remove();
    }
  },
};
