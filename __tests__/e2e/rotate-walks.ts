/** rotate on a parameter or a secret: its whole way, killed at one point, and what has to be there in the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { runningProcesses } from '../support/runner/process-table.ts';
import type { Ended } from './ec2-host.ts';
import { name, type RotateStage } from './rotate-stage.ts';

export type Kind = 'parameter' | 'secret';
const secretName = 'secretsmanager:ci/deploy:key';

/** The key that rotates, as one of the two stores has it. */
export class Rotating {
  readonly stage: RotateStage;
  readonly #kind: Kind;

  constructor(stage: RotateStage, kind: Kind) {
    this.stage = stage;
    this.#kind = kind;
    if (kind === 'parameter') return;
    stage.host.world.putSecret('ci/deploy', JSON.stringify({ user: 'deploy', key: stage.old.privateKey }));
  }

  get args(): string[] {
    return [this.#kind === 'parameter' ? name : secretName, ...this.stage.options];
  }
  run(...more: readonly string[]): Promise<Ended> {
    return this.stage.run([...this.args, ...more]);
  }
  get served(): string | undefined {
    return this.#kind === 'parameter' ? this.stage.publicKey() : this.#ofSecret('AWSCURRENT');
  }
  labelled(label: 'previous' | 'current' | 'next'): string | undefined {
    if (this.#kind === 'secret') return this.#ofSecret(label);
    if (label === 'next') return this.stage.staged;
    return this.stage.versions.some(({ labels }) => labels.has(label))
      ? this.stage.publicKey(name, label)
      : undefined;
  }
  #ofSecret(stageLabel: string): string | undefined {
    const { key } = JSON.parse(this.stage.secretText(stageLabel) ?? '{}') as { key?: string };
    if (key === undefined) return undefined;
    return authorizedKeysLine({ ...parsePrivateKey(key, secretName).publicKey, comment: '' });
  }
  /** As after a rotation. */
  beRotated(): void {
    const { stage } = this;
    const { keys, next, host } = stage;
    keys.add({ repository: 'acme/lib', title: 'new', key: next.publicKey, readOnly: false });
    if (this.#kind === 'parameter') {
      host.world.put(name, next.privateKey);
      const [old, latest] = stage.versions;
      old?.labels.add('previous');
      latest?.labels.add('current');
    } else {
      host.world.putSecret('ci/deploy', JSON.stringify({ user: 'deploy', key: next.privateKey }));
      const [old, latest] = stage.secretVersions;
      old?.stages.add('previous');
      latest?.stages.add('current');
    }
  }
  get state(): object {
    const [previous, current, next] = (['previous', 'current', 'next'] as const).map((one) =>
      this.labelled(one),
    );
    return { served: this.served, registered: this.stage.registered, previous, current, next };
  }
}

/** A call to a server, or `proof`: while git asks the host. */
export interface Point {
  readonly server: 'aws' | 'github' | 'proof';
  /** Calls to this server before it; for a proof, milliseconds after its beginning. */
  readonly skip: number;
  readonly operation: string;
  readonly fault: 'hang' | 'unanswered';
}

export const isWrite = ({ operation }: Pick<Point, 'operation'>): boolean =>
  /:(Put|Label|Unlabel|Delete|Update|Create|Schedule)|^(POST|DELETE) /.test(operation);

export interface Walk {
  readonly prepare: (rotating: Rotating) => void;
  readonly args: readonly string[];
  readonly check: (rotating: Rotating) => void;
}

/** As a rotation leaves it. To run one for each walk would take most of the time. */
const rotated = (rotating: Rotating): void => {
  rotating.beRotated();
};

export const walks = {
  forward: {
    ...{ prepare: () => undefined, args: [] },
    check: ({ state, served, stage }) => {
      const registered = [stage.oldPublicKey, served];
      expect(served).not.toBe(stage.oldPublicKey);
      expect(state).toMatchObject({
        registered,
        previous: stage.oldPublicKey,
        current: served,
        next: undefined,
      });
    },
  },
  finish: {
    ...{ prepare: rotated, args: ['--finish'] },
    check: ({ state, served }) => {
      expect(state).toMatchObject({
        ...{ registered: [served], previous: undefined, current: served, next: undefined },
      });
    },
  },
  abort: {
    ...{ prepare: rotated, args: ['--abort'] },
    check: ({ state, stage }) => {
      const old = stage.oldPublicKey;
      expect(state).toMatchObject({
        ...{ served: old, registered: [old], previous: undefined, current: old, next: undefined },
      });
    },
  },
} as const satisfies Record<string, Walk>;

/** Parallel calls that read leave the same behind: one of them is enough. */
const parallel = 3;

/**
 * The calls of a run that is not disturbed; after calls that change something, a kill is told from one before. And moments
 * of the proof.
 */
export async function pointsOf({ prepare, args }: Walk, rotating: Rotating): Promise<Point[]> {
  const { stage } = rotating;
  prepare(rotating);
  const before = { aws: stage.host.world.aws.calls.length, github: stage.github.calls.length };
  expect((await rotating.run(...args)).exitCode).toBe(0);
  const calls = { aws: stage.host.world.aws.calls, github: stage.github.calls };
  const points = (['aws', 'github'] as const).flatMap((server) => {
    let reads = 0;
    return calls[server].slice(before[server]).flatMap(({ operation }, skip): Point[] => {
      const point = { server, skip, operation, fault: 'hang' } as const;
      if (!isWrite(point)) return reads++ % parallel === 0 ? [point] : [];
      reads = 0;
      return [point, { ...point, fault: 'unanswered' }];
    });
  });
  const moments = [0, 60].map(
    (skip) => ({ server: 'proof', skip, operation: 'proof', fault: 'hang' }) as const,
  );
  return [...points, ...moments];
}

/** SIGKILL, which no program can act on. */
export async function killAt(point: Point, rotating: Rotating, args: readonly string[]): Promise<void> {
  const { stage } = rotating;
  const reached = point.server === 'proof' ? proofOf(stage) : callOf(point, stage);
  const { child, ended } = stage.startRun([...rotating.args, ...args]);
  while (!reached() && child.exitCode === null) await sleep(5);
  await sleep(point.server === 'proof' ? point.skip : 30);
  child.kill('SIGKILL');
  expect([point, (await ended).signal]).toEqual([point, 'SIGKILL']);
  for (const { faults } of [stage.host.world.aws, stage.github]) faults.clear();
  stage.keys.delay = 0;
}

function callOf({ server, skip, fault }: Point, { host, github }: RotateStage): () => boolean {
  const { aws } = host.world;
  const count = (): number => (server === 'aws' ? aws.calls : github.calls).length;
  const wanted = count() + skip + 1;
  const { faults } = server === 'aws' ? aws : github;
  faults.order({ operation: '*', fault, skip, times: 1 });
  // Without an answer it calls again. On a busy machine it would end before it is killed.
  faults.order({ operation: '*', fault: 'hang', skip: skip + 1 });
  return () => count() >= wanted;
}

/** The host takes its time until it knows the new key, so that the proof is not over at once. */
function proofOf({ host, keys }: RotateStage): () => boolean {
  keys.delay = 3000;
  // ssh has the folder with its agent in its arguments.
  return () =>
    runningProcesses().some(({ command }) => command.includes('-F none') && command.includes(host.temp));
}

/** Milliseconds until what a killed program has started notices. */
const patience = 8000;

/** The agent with the key, its folder, git and ssh. */
export async function nothingLeft({ host }: RotateStage): Promise<string[]> {
  const until = Date.now() + patience;
  while (host.leftovers().length > 0 && Date.now() < until) await sleep(20);
  return host.leftovers();
}

/** Killed at the point, what is served is registered. Then the same command goes on. */
export async function survives(walk: Walk, point: Point, rotating: Rotating): Promise<void> {
  const { prepare, args, check } = walk;
  const { stage } = rotating;
  prepare(rotating);
  await killAt(point, rotating, args);
  const title = `${point.operation} ${point.skip} (${point.fault})`;
  expect([title, stage.registered]).toEqual([title, expect.arrayContaining([rotating.served])]);
  expect([title, await nothingLeft(stage)]).toEqual([title, []]);
  const again = await rotating.run(...args);
  const done = /is not finished|no rotation of/.test(again.stderr);
  expect([title, done ? 0 : again.exitCode, again.stderr]).toEqual([title, 0, again.stderr]);
  check(rotating);
}
