/** 1,000 and 10,000 hosts that start together, in a simulation with the product's own waits. */
import { waitForSignature } from '../../src/aws/back-off.ts';
import { spread } from '../measure.ts';
import { seeded, simulate, type Fleet, type Outcome, type Quota } from '../fleet/simulate.ts';
import type { Figure, Section } from '../results.ts';

/** Calls a second, as docs/scale.md has them with their sources. */
const quotas = {
  'Parameter Store, standard': { rate: 40 },
  'Parameter Store, higher throughput': { rate: 10_000 },
  'Secrets Manager': { rate: 10_000 },
  'STS (a role on each host)': { rate: 600 },
  'KMS (kms:Sign with an ECC key)': { rate: 300 },
} as const satisfies Record<string, Quota>;

type Service = keyof typeof quotas;
type Waiting = Pick<Fleet, 'attempts' | 'timeout' | 'wait'>;

/** The AWS SDK's own waits. @source @smithy/core/retry, DefaultRetryBackoffStrategy */
const sdkWait = (tries: number, random: () => number): number =>
  random() * Math.min(20_000, 1_000 * 2 ** (tries - 1));

/** Who asks, and how patient it is. */
const callers = {
  'a host, timeout 60s': { attempts: 100, timeout: 60 },
  'a host, default timeout of 30s': { attempts: 100, timeout: 30 },
  'a host, timeout 6m': { attempts: 100, timeout: 360 },
  'a job, default max-attempts of 5': { attempts: 5, timeout: 120 },
  'a job, max-attempts: 20': { attempts: 20, timeout: 120 },
  'a signature, at most 10s': { attempts: 100, timeout: 10, wait: waitForSignature },
  "3 tries with the SDK's waits": { attempts: 3, timeout: 30, wait: sdkWait },
} as const satisfies Record<string, Waiting>;

type Caller = keyof typeof callers;

interface Scenario {
  readonly service: Service;
  readonly hosts: number;
  /** Seconds. */
  readonly within: number;
  readonly caller: Caller;
}

const store: Service = 'Parameter Store, standard';
const stored = (hosts: number, within: number, caller: Caller): Scenario => ({
  ...{ service: store, hosts, within, caller },
});
const bounded = stored(1_000, 0, 'a host, timeout 60s');

const scenarios: readonly Scenario[] = [
  bounded,
  stored(1_000, 60, 'a host, timeout 60s'),
  stored(1_000, 0, 'a host, default timeout of 30s'),
  stored(1_000, 0, "3 tries with the SDK's waits"),
  stored(1_000, 0, 'a job, default max-attempts of 5'),
  stored(1_000, 0, 'a job, max-attempts: 20'),
  stored(10_000, 0, 'a host, timeout 60s'),
  stored(10_000, 0, 'a host, timeout 6m'),
  stored(10_000, 60, 'a host, timeout 6m'),
  ...(
    [
      ['Parameter Store, higher throughput', 'a host, timeout 60s'],
      ['Secrets Manager', 'a host, timeout 60s'],
      ['STS (a role on each host)', 'a host, timeout 60s'],
      ['KMS (kms:Sign with an ECC key)', 'a signature, at most 10s'],
    ] as const
  ).flatMap(([service, caller]) =>
    [0, 60].flatMap((within) => [1_000, 10_000].map((hosts) => ({ service, hosts, within, caller }))),
  ),
];

const runs = 20;

function outcomesOf({ service, hosts, within, caller }: Scenario): Outcome[] {
  return Array.from({ length: runs }, (_, seed) =>
    simulate({ hosts, within, quota: quotas[service], ...callers[caller], random: seeded(seed) }),
  );
}

/** The worst of all runs. */
const most = (outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number =>
  Math.max(...outcomes.map(of));

function rowOf(scenario: Scenario): string[] {
  const { service, hosts, within, caller } = scenario;
  const { rate } = quotas[service];
  const outcomes = outcomesOf(scenario);
  const seconds = (of: (outcome: Outcome) => number): string => most(outcomes, of).toFixed(1);
  const calls = spread(outcomes.map((outcome) => outcome.calls / hosts)).median;
  return [
    `${service}, ${rate.toLocaleString('en-US')}/s`,
    hosts.toLocaleString('en-US'),
    within === 0 ? 'at once' : `within ${within} s`,
    caller,
    Math.max(hosts / rate, within).toFixed(1),
    seconds(({ served }) => served),
    seconds(({ median }) => median),
    most(outcomes, ({ failed }) => failed).toLocaleString('en-US'),
    `${calls.toFixed(1)}, at most ${most(outcomes, ({ mostCalls }) => mostCalls)}`,
  ];
}

const whole = (value: number): Figure => ({ median: value, min: value, max: value, unit: '' });

export const fleet: Section = {
  name: 'fleet',
  title: 'A fleet that starts together',
  about: `A simulation, not a measurement: each host makes one call, and waits as the product does (\`src/aws/back-off.ts\`) if AWS throttles it. AWS is a token bucket that holds the calls of one second. A refused call takes nothing from it. Each row has the worst of ${runs} runs. "ideal" is the time that the quota allows.`,
  run: () => {
    const outcomes = outcomesOf(bounded);
    const ideal = bounded.hosts / quotas[store].rate;
    const name = '1,000 hosts at once at 40/s';
    return Promise.resolve({
      ways: {},
      figures: {
        [`${name}: time / ideal`]: whole(most(outcomes, ({ served }) => served) / ideal),
        [`${name}: hosts without a key`]: whole(most(outcomes, ({ failed }) => failed)),
        [`${name}: calls of one host`]: whole(most(outcomes, ({ mostCalls }) => mostCalls)),
      },
      table: {
        head: [
          ...['service', 'hosts', 'start', 'who asks', 'ideal, s', 'all served, s', 'half waited, s'],
          ...['without a key', 'calls of a host'],
        ],
        rows: scenarios.map(rowOf),
      },
      notRun: [],
    });
  },
};
