/** The action beside the chain of steps that people use today, and beside minimal programs. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { REGION, ROLE_ARN } from '../../__tests__/support/aws/world.ts';
import { makeSshKey } from '../../__tests__/support/ssh-keys.ts';
import { bundled } from '../bundled.ts';
import { chainSteps, openChain, type Chain } from '../chain.ts';
import { stopwatch, takeTurns, type Round, type Stopwatch, type Way } from '../measure.ts';
import { loopback, overTls, type Network } from '../networks.ts';
import {
  awsCli,
  fastest,
  figureOf,
  processor,
  single,
  wall,
  waysOf,
  type Figure,
  type Section,
} from '../results.ts';
import { useAction } from '../use-action.ts';

const many = 25;
const roundTrips = [20, 80];
/** Milliseconds. Much longer than what the processor needs between two round trips. */
const countedRoundTrip = 1_500;
const root = dirname(dirname(import.meta.dirname));
const run = promisify(execFile);

interface Floors {
  readonly byHand: string;
  readonly bySdk: string;
  readonly empty: string;
}

interface Stage {
  readonly network: Network;
  readonly watch: Stopwatch;
  readonly floors: Floors;
  readonly chain: Chain | undefined;
}

const parameters = Array.from({ length: many }, (_, index) => `/ci/deploy-key-${index}`);
const lines = (count: number): string =>
  parameters
    .slice(0, count)
    .map((name, index) => `${name} github.com/acme/lib-${index}`)
    .join('\n');
const repositories = Array.from({ length: 5 }, (_, index) => `github.com/acme/lib-${index}`).join(' ');
/** The input `keys`, by the name of the way. */
const uses: Readonly<Record<string, string>> = {
  'main, 1 key': lines(1),
  'main, 1 key for 5 repositories': `${parameters[0] ?? ''} ${repositories}`,
  'main, 5 keys for 5 repositories': lines(5),
  [`main, ${many} keys`]: lines(many),
};

function waysIn({ network, watch, floors, chain }: Stage): Way[] {
  const name = (way: string): string => `${network.name}: ${way}`;
  const used = Object.entries(uses).map(([way, keys]) => async () => {
    const { main, post } = await useAction({ network, keys, action: root, watch });
    return { [name(way)]: main, [name(way.replace('main', 'post'))]: post };
  });
  const floor =
    (way: string, program: string, more: Record<string, string> = {}) =>
    async () => {
      const env = { ...network.environment, ...more, AWS_REGION: REGION, ROLE: ROLE_ARN, KEY: parameters[0] };
      await run(watch.path, [program], { env: { PATH: process.env['PATH'], ...env } });
      return { [name(way)]: watch.read() };
    };
  return [
    ...used,
    ...(chain ? [async () => await chain.run(network, parameters[0] ?? '')] : []),
    floor('bare Node', floors.empty),
    floor('by hand', floors.byHand),
    floor('by hand, connections opened first', floors.byHand, { FLOOR: 'ahead' }),
    floor('the AWS SDK', floors.bySdk),
  ];
}

function ratiosIn(name: string, rounds: readonly Round[]): Record<string, Figure> {
  const at = (way: string): string => `${name}: ${way}`;
  const chained = chainSteps.map(at);
  const ours = [at('main, 1 key'), at('post, 1 key')];
  const byChain = rounds.every((round) => at(chainSteps[0]) in round) && {
    [at('main and post / chain')]: figureOf(
      rounds,
      (round) => wall(round, ...ours) / wall(round, ...chained),
    ),
    [at('main and post / chain, of the fastest runs')]: single(
      fastest(rounds, ...ours) / fastest(rounds, ...chained),
    ),
    [at('main and post / chain, processor')]: figureOf(
      rounds,
      (round) => processor(round, ...ours) / processor(round, ...chained),
    ),
  };
  const mainBy = (way: string): Figure =>
    figureOf(rounds, (round) => wall(round, at('main, 1 key')) / wall(round, at(way)));
  return {
    ...byChain,
    [at('main / by hand')]: mainBy('by hand'),
    [at('main / by hand, connections opened first')]: mainBy('by hand, connections opened first'),
    [at('main / by hand, connections opened first, of the fastest runs')]: single(
      fastest(rounds, at('main, 1 key')) / fastest(rounds, at('by hand, connections opened first')),
    ),
    [at('main / the AWS SDK')]: mainBy('the AWS SDK'),
    [at(`${many} keys / 1 key`)]: figureOf(
      rounds,
      (round) => wall(round, at(`main, ${many} keys`)) / wall(round, at('main, 1 key')),
    ),
  };
}

/** One run each, over a network so slow that nothing else counts. */
async function countRoundTrips(stage: Omit<Stage, 'network'>, fill: Fill): Promise<Record<string, Figure>> {
  const network = await fill(overTls(countedRoundTrip));
  const all = waysIn({ ...stage, network });
  try {
    const counts: Record<string, Figure> = {};
    const count = async (what: string, way: Way | undefined): Promise<void> => {
      await way?.();
      counts[`sequential round trips: ${what}`] = single(network.counted());
    };
    await count('main', all[0]);
    await count('by hand', all.at(-3));
    await count('by hand, connections opened first', all.at(-2));
    return counts;
  } finally {
    await network.stop();
  }
}

type Fill = (network: Promise<Network>) => Promise<Network>;

async function measure(
  stage: Omit<Stage, 'network'>,
  fill: Fill,
  rounds: number,
): Promise<Pick<Awaited<ReturnType<Section['run']>>, 'ways' | 'figures'>> {
  const networks = await Promise.all([loopback(), ...roundTrips.map(overTls)].map(fill));
  try {
    const measured = await takeTurns(
      rounds,
      networks.flatMap((network) => waysIn({ ...stage, network })),
    );
    const ratios = networks.flatMap(({ name }) => Object.entries(ratiosIn(name, measured)));
    return { ways: waysOf(measured), figures: Object.fromEntries(ratios) };
  } finally {
    await Promise.all(networks.map(({ stop }) => stop()));
  }
}

export const action: Section = {
  name: 'action',
  title: 'The action, the chain of today, and floors',
  about: `Main and post of the action, over plain HTTP on loopback, and over TLS with an added round-trip time. Each key has a repository of its own, if the name does not say otherwise.

The chain is \`configure-aws-credentials\`, \`aws ssm get-parameter\`, \`ssh-agent\`, and the post steps of the two actions. The actions are stand-ins (\`bench/peers\`) that make the same calls. They load less than the originals, so they are faster. The AWS CLI is the real one. The runner's own time between steps is not measured.

The floors get the same parameter with the same three requests, and add it to no agent. "by hand" has no SDK. "connections opened first" has all connections open before it makes the first request.

Sequential round trips are counted over TLS with ${countedRoundTrip} ms, from the first connection to the last answer.`,
  run: async ({ rounds, folder }) => {
    const cli = awsCli();
    const keys = await Promise.all(parameters.map(() => makeSshKey()));
    const fill: Fill = async (opening) => {
      const network = await opening;
      for (const [index, name] of parameters.entries())
        network.world.put(name, keys[index]?.privateKey ?? '');
      return network;
    };
    const [byHand, bySdk] = [await bundled('floors/job'), await bundled('floors/job-sdk')];
    const empty = join(folder, 'empty.cjs');
    writeFileSync(empty, '');
    const stage = {
      watch: stopwatch(folder, process.execPath),
      floors: { byHand: byHand.path, bySdk: bySdk.path, empty },
      chain: cli === undefined ? undefined : await openChain(folder, cli),
    };
    try {
      const counts = await countRoundTrips({ ...stage, chain: undefined }, fill);
      const { ways, figures } = await measure(stage, fill, rounds);
      const notRun = cli === undefined ? ['the chain: the AWS CLI is not on PATH'] : [];
      return { ways, figures: { ...figures, ...counts }, notRun };
    } finally {
      byHand.remove();
      bySdk.remove();
    }
  },
};
