/**
 * `bench/ec2-ssh`: measures `ssh HOST true` through ssm-ssh against a bare program's handshake with Session Manager,
 * and against plain ssh to the same sshd. They take turns, so that the ratios do not depend on the machine's speed.
 * Then copies a file both ways and compares it. Milliseconds, MB/s.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { ACCOUNT, allow, REGION, startReadyWorld } from '../__tests__/support/aws/world.ts';
import { Ec2Host, launchInstance, program, project } from '../__tests__/support/ec2-host.ts';
import { startEc2Instance } from '../__tests__/support/ec2-instance.ts';
import { makeSshKey } from '../__tests__/support/ssh-keys.ts';

const runs = Number(process.argv[2] ?? 15);
/** Size of the copied file in bytes. */
const size = 50_000_000;

const [world, key] = await Promise.all([startReadyWorld(), makeSshKey()]);
const everything = allow(['ssm:*', 'ssmmessages:*', 'ec2:*', 'ec2-instance-connect:*'], '*');
launchInstance(world, [everything]);
const instance = await startEc2Instance(world.aws, { authorizedKeys: [key.publicKey] });
const { instanceId, ports, user } = instance;
world.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports });
const credentials = world.aws.iam.createAccessKey({
  userArn: `arn:aws:iam::${ACCOUNT}:user/ops`,
  policies: [everything],
});
// As on a laptop with credentials in the environment, which neither program has to ask for.
const host = new Ec2Host(world, [], { AWS_REGION: REGION, ...world.aws.environment({ credentials }) });
host.configure([]);
writeFileSync(join(host.home, 'key'), key.privateKey, { mode: 0o600 });
writeFileSync(join(host.home, 'known'), `[127.0.0.1]:${instance.port} ${instance.hostKey.publicKey}\n`);
// Compiled to JavaScript, because Node takes time to strip types. In the project's folder, to find `ws`.
const bare = join(project, 'lib', 'bare-session.mjs');
writeFileSync(bare, stripTypeScriptTypes(readFileSync(join(project, 'bench/bare-session.ts'), 'utf8')));

const plain = `ssh -F none -i key -o UserKnownHostsFile=known -p ${instance.port} ${user}@127.0.0.1`;
const ours = `${program} ${user}@${instanceId}`;
const ways = {
  ours: `${ours} true`,
  bare: `${process.execPath} --no-warnings ${bare} ${instanceId}`,
  // With a pushed key.
  pushing: `${process.execPath} --no-warnings ${bare} ${instanceId} ${user}`,
  plain: `${plain} true`,
  // The shell that starts each command.
  shell: ':',
};
type Way = keyof typeof ways;
type Times = Record<Way, number>;

async function time(command: string): Promise<number> {
  const started = performance.now();
  const { code, stderr } = await host.run(command);
  if (code !== 0) throw new Error(`${command}\n${stderr}`);
  return performance.now() - started;
}

async function measure(prepare: string): Promise<Times[]> {
  const rounds: Times[] = [];
  // The first round is not counted.
  for (let round = 0; round <= runs; round++) {
    await time(prepare);
    const times = {} as Times;
    for (const [way, command] of Object.entries(ways)) times[way as Way] = await time(command);
    if (round > 0) rounds.push(times);
  }
  return rounds;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

function row(rounds: readonly Times[]): object {
  const of = (figure: (times: Times) => number): number => median(rounds.map(figure));
  return {
    ...Object.fromEntries(
      Object.keys(ways).map((way) => [way, Math.round(of((times) => times[way as Way]))]),
    ),
    'ours / (bare + plain)': of(
      ({ ours, bare, plain, shell }) => (ours - shell) / (bare + plain - 2 * shell),
    ).toFixed(2),
    'ours / (pushing + plain)': of(
      ({ ours, pushing, plain, shell }) => (ours - shell) / (pushing + plain - 2 * shell),
    ).toFixed(2),
  };
}

try {
  const cold = `${join(project, 'helper/ssm-ssh-agent')} flush --quiet`;
  const table = {
    // While the pushed key is valid (one minute).
    'the next': row(await measure(':')),
    'the first': row(await measure(cold)),
  };
  console.table(table);
  writeFileSync(join(host.home, 'big'), randomBytes(size));
  const idle = await time(`${ours} true`);
  const there = `${user}@${instanceId}:${join(host.home, 'there')}`;
  const speed = async (copy: string): Promise<string> =>
    `${(size / 1000 / ((await time(`scp -q -S ${program} ${copy}`)) - idle)).toFixed(1)} MB/s`;
  console.log(
    `scp of ${size / 1e6} MB, up: ${await speed(`big ${there}`)}, down: ${await speed(`${there} back`)}`,
  );
  await time('cmp big there && cmp big back');
} finally {
  host.dispose();
  await instance.stop();
  await world.stop();
}
