/** rotate is killed when a server gets a call, before or after the server has performed it. Then it runs again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from '@jest/globals';
import { it, itInRest } from '../support/parts.ts';
import { name, useKeys, type RotateStage } from './rotate-stage.ts';

interface Point {
  readonly server: 'aws' | 'github';
  /** Calls to this server before it. */
  readonly skip: number;
  readonly operation: string;
  readonly fault: 'hang' | 'unanswered';
}

const isWrite = ({ operation }: Point): boolean =>
  /:(Put|Label|Unlabel|Delete|Update)|^(POST|DELETE) /.test(operation);

describe('rotate that is killed', () => {
  const open = useKeys();

  /** The calls of a run that is not disturbed; after calls that change something, a kill is told from one before. */
  async function pointsOf(
    prepare: (stage: RotateStage) => Promise<void>,
    args: readonly string[],
  ): Promise<Point[]> {
    const stage = await open();
    await prepare(stage);
    const before = { aws: stage.host.world.aws.calls.length, github: stage.github.calls.length };
    expect((await stage.rotate(...args)).exitCode).toBe(0);
    const calls = { aws: stage.host.world.aws.calls, github: stage.github.calls };
    const points = (['aws', 'github'] as const).flatMap((server) =>
      calls[server].slice(before[server]).map(({ operation }, skip) => ({ server, skip, operation })),
    );
    await stage.stop();
    const all = points.flatMap((point) => [
      { ...point, fault: 'hang' as const },
      { ...point, fault: 'unanswered' as const },
    ]);
    return all.filter((point) => point.fault === 'hang' || isWrite(point));
  }

  async function killAt(
    { server, skip, fault }: Point,
    stage: RotateStage,
    args: readonly string[],
  ): Promise<void> {
    const { aws } = stage.host.world;
    const { faults } = server === 'aws' ? aws : stage.github;
    const count = (): number => (server === 'aws' ? aws.calls : stage.github.calls).length;
    const wanted = count() + skip + 1;
    faults.order({ operation: '*', fault, skip, times: 1 });
    const { child, ended } = stage.startRun([name, ...stage.options, ...args]);
    while (count() < wanted && child.exitCode === null) await sleep(5);
    await sleep(30);
    child.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    faults.clear();
  }

  interface Walk {
    readonly prepare: (stage: RotateStage) => Promise<void>;
    readonly args: readonly string[];
    readonly check: (stage: RotateStage) => void;
  }

  async function survives({ prepare, args, check }: Walk, point: Point): Promise<void> {
    const stage = await open();
    await prepare(stage);
    await killAt(point, stage, args);
    const title = `${point.operation} (${point.fault})`;
    expect([title, stage.registered]).toEqual([title, expect.arrayContaining([stage.publicKey()])]);
    const again = await stage.rotate(...args);
    const done = /is not finished|no rotation of/.test(again.stderr);
    expect([title, done ? 0 : again.exitCode, again.stderr]).toEqual([title, 0, again.stderr]);
    check(stage);
    await stage.stop();
  }

  const nothing = (): Promise<void> => Promise.resolve();
  const rotated = async (stage: RotateStage): Promise<void> => {
    await stage.rotate();
  };
  const labels = (stage: RotateStage): string[][] => stage.versions.map((version) => [...version.labels]);

  const forward: Walk = {
    ...{ prepare: nothing, args: [] },
    check: (stage) => {
      expect([stage.registered.length, stage.staged]).toEqual([2, undefined]);
      expect(stage.registered).toEqual([stage.oldPublicKey, stage.publicKey()]);
      expect([labels(stage)[0], labels(stage).at(-1)]).toEqual([['previous'], ['current']]);
    },
  };
  const finish: Walk = {
    ...{ prepare: rotated, args: ['--finish'] },
    check: (stage) => {
      expect(stage.registered).toEqual([stage.publicKey()]);
      expect(labels(stage).flat()).toEqual(['current']);
    },
  };
  const abort: Walk = {
    ...{ prepare: rotated, args: ['--abort'] },
    check: (stage) => {
      expect([stage.publicKey(), stage.staged]).toEqual([stage.oldPublicKey, undefined]);
      expect(stage.registered).toEqual([stage.oldPublicKey]);
      expect([labels(stage).flat(), labels(stage).at(-1)]).toEqual([['current'], ['current']]);
    },
  };

  it('when the new key was served, and AWS did not answer, goes on', async () => {
    const points = await pointsOf(forward.prepare, forward.args);
    const point = points.filter(({ operation }) => operation === 'ssm:PutParameter').at(-1);
    expect([points.length > 20, point?.fault]).toEqual([true, 'unanswered']);
    if (point) await survives(forward, point);
  });

  it.each(['LabelParameterVersion', 'PutParameter'])(
    'before a later %s goes back with --abort',
    async (operation) => {
      const points = await pointsOf(forward.prepare, forward.args);
      const point = points.findLast(
        ({ operation: one, fault }) => one === `ssm:${operation}` && fault === 'hang',
      );
      expect(point).toBeDefined();
      if (!point) return;
      const prepare = (stage: RotateStage): Promise<void> => killAt(point, stage, []);
      const stage = await open();
      await prepare(stage);
      expect((await stage.rotate('--finish')).stderr).toContain('does not replace the old one yet');
      expect((await stage.rotate('--abort')).exitCode).toBe(0);
      expect([stage.publicKey(), stage.staged]).toEqual([stage.oldPublicKey, undefined]);
      expect([stage.registered, labels(stage).flat()]).toEqual([[stage.oldPublicKey], []]);
      await stage.stop();
    },
  );

  const walks: [string, Walk, number][] = [
    ['a rotation', forward, 22],
    ['--finish', finish, 8],
    ['--abort', abort, 16],
  ];
  itInRest.each(walks)(
    'at each call of %s, goes on when it runs again',
    async (...[, walk, least]) => {
      const points = await pointsOf(walk.prepare, walk.args);
      expect(points.length).toBeGreaterThanOrEqual(least);
      for (const point of points) await survives(walk, point);
    },
    900_000,
  );
});
