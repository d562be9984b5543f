/** Keys that stay in KMS: connections and signatures by the agent in front, beside a stored key in OpenSSH's agent. */
import { join } from 'node:path';
import { kmsCalls, makeKmsKey, maySign } from '../../__tests__/e2e/kms/kms-keys.ts';
import { REGION, startReadyWorld } from '../../__tests__/support/aws/world.ts';
import { Ec2Host, launchInstance, project } from '../../__tests__/support/ec2-host.ts';
import { startGitHost } from '../../__tests__/support/git-host/git-host.ts';
import { makeSshKey } from '../../__tests__/support/ssh-keys.ts';
import { takeTurns, type Round } from '../measure.ts';
import { succeed, waysOn, type HostCommand } from '../on-host.ts';
import { figureOf, single, wall, waysOf, type Figure, type Section } from '../results.ts';

/** Signatures of one command, in addition to the first. */
const more = 20;
const agentProgram = join(project, 'helper/ssm-ssh-agent');

interface Stage {
  readonly host: Ec2Host;
  readonly commands: Readonly<Record<string, HostCommand>>;
  /** Calls of KMS in one warm connection. */
  readonly count: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

async function open(): Promise<Stage> {
  const [world, git, key] = await Promise.all([
    startReadyWorld({ tls: true }),
    startGitHost({ server: 'openssh' }),
    makeSshKey(),
  ]);
  launchInstance(world, [maySign]);
  world.put('/ci/key', key.privateKey);
  for (const [name, publicKey] of [
    ['one', makeKmsKey(world, 'one').publicKey],
    ['lib', key.publicKey],
  ] as const) {
    await git.createRepository(`acme/${name}`);
    git.addDeployKey({ repository: `acme/${name}`, publicKey });
  }
  const host = new Ec2Host(world, [git], { AWS_REGION: REGION, GIT_SSH_VARIANT: 'ssh' });
  const address = `${git.address}:${git.port}`;
  host.configure([
    ...[`[ssm "${address}/acme/one"]`, 'key = kms:alias/one'],
    ...[`[ssm "${address}/acme/lib"]`, 'key = /ci/key'],
  ]);
  const list = (name: string): string => `git ls-remote ${git.url(`acme/${name}`)} >/dev/null`;
  const before = `${agentProgram} flush`;
  return {
    host,
    commands: {
      'KMS key, cold': { before, run: list('one') },
      'KMS key, warm': { run: list('one') },
      'stored key, cold': { before, run: list('lib') },
      'stored key, warm': { run: list('lib') },
      ...signing('KMS key', 'kms:alias/one'),
      ...signing('stored key', '/ci/key'),
    },
    count: async () => {
      await succeed(host, list('one'));
      const calls = kmsCalls(world).length;
      await succeed(host, list('one'));
      return kmsCalls(world).length - calls;
    },
    stop: async () => {
      host.dispose();
      await Promise.all([git.stop(), world.stop()]);
    },
  };
}

/** `exec`, and in it git's signatures of a text. */
function signing(name: string, reference: string): Record<string, HostCommand> {
  const command = (count: number): string =>
    `${agentProgram} exec --key ${reference} -- sh -c 'ssh-add -L >key.pub
      for i in $(seq ${count}); do echo $i | ssh-keygen -q -Y sign -n git -f key.pub >signature; done'`;
  return {
    [`${name}, exec with 1 signature`]: { run: command(1) },
    [`${name}, exec with ${1 + more} signatures`]: { run: command(1 + more) },
  };
}

function figuresOf(rounds: readonly Round[]): Record<string, Figure> {
  const eachOf = (round: Round, name: string): number =>
    (wall(round, `${name}, exec with ${1 + more} signatures`) -
      wall(round, `${name}, exec with 1 signature`)) /
    more;
  const [kms, stored] = ['KMS key', 'stored key'];
  return {
    'warm connection, KMS key - stored key': figureOf(
      rounds,
      (round) => wall(round, `${kms}, warm`) - wall(round, `${stored}, warm`),
      'ms',
    ),
    'cold connection, KMS key / stored key': figureOf(
      rounds,
      (round) => wall(round, `${kms}, cold`) / wall(round, `${stored}, cold`),
    ),
    'one signature, KMS key': figureOf(rounds, (round) => eachOf(round, kms), 'ms'),
    'one signature, stored key': figureOf(rounds, (round) => eachOf(round, stored), 'ms'),
  };
}

export const kms: Section = {
  name: 'kms',
  title: 'Keys in KMS',
  about: `\`git ls-remote\` with an Ed25519 key in KMS and with a stored one, on a host. Then \`ssm-ssh-agent exec\` with \`ssh-keygen -Y sign\`, once and ${1 + more} times: a signature includes the start of \`ssh-keygen\`. KMS is local and answers over TLS; the real one adds its round trip to each signature.`,
  run: async ({ rounds }) => {
    const stage = await open();
    try {
      const measured = await takeTurns(rounds, waysOn(stage.host, stage.commands));
      const calls = single(await stage.count());
      const figures = { ...figuresOf(measured), 'calls of KMS in a warm connection': calls };
      return { ways: waysOf(measured), figures, notRun: [] };
    } finally {
      await stage.stop();
    }
  },
};
