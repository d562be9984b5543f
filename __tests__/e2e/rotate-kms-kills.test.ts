/** rotate for a key in KMS is killed at each call to a server, and while it proves a key. Two of them run at once. */
import { describe, expect } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { inLanes } from '../support/in-lanes.ts';
import { it, itInRest } from '../support/parts.ts';
import { KmsRotating, kmsName, kmsWalks } from './kms-rotating.ts';
import { useKeys } from './rotate-stage.ts';
import { killAt, pointsOf, survives, type Point, type Walk } from './rotate-walks.ts';

const lanes = [1, 2, 3, 4];

describe('rotate of a key in KMS', () => {
  const open = useKeys();

  async function on<Result>(work: (rotating: KmsRotating) => Promise<Result>): Promise<Result> {
    const stage = await open();
    try {
      return await work(new KmsRotating(stage));
    } finally {
      await stage.stop();
    }
  }
  const points = (walk: Walk): Promise<Point[]> => on((rotating) => pointsOf(walk, rotating));
  const at = (operation: string, fault: Point['fault'], all: readonly Point[]): Point => {
    const found = all.find((point) => point.operation === operation && point.fault === fault);
    if (!found) throw new Error(`${operation} is not called`);
    return found;
  };

  it('that is killed after KMS has made a key, and before it has an alias, goes on with that key', async () => {
    const point = at('kms:CreateKey', 'unanswered', await points(kmsWalks.forward));
    await on(async (rotating) => {
      await killAt(point, rotating, []);
      const [, made] = rotating.paid;
      expect([rotating.paid.length, rotating.served]).toEqual([2, rotating.oldLine]);
      const again = await rotating.run();
      expect([again.exitCode, again.stderr]).toEqual([0, expect.stringContaining('waiting for it')]);
      kmsWalks.forward.check(rotating);
      expect(rotating.served).toBe(made);
    });
  });

  itInRest('that is killed then goes back with --abort, and leaves no key that costs money', async () => {
    const all = await points(kmsWalks.forward);
    for (const point of [at('kms:CreateKey', 'unanswered', all), at('kms:CreateAlias', 'unanswered', all)]) {
      await on(async (rotating) => {
        await killAt(point, rotating, []);
        expect((await rotating.run('--finish')).stderr).toContain('does not replace the old one yet');
        expect((await rotating.run('--abort')).exitCode).toBe(0);
        kmsWalks.abort.check(rotating);
      });
    }
  });

  itInRest.each([
    ['forward', 20],
    ['finish', 10],
    ['abort', 12],
  ] as const)(
    'that is killed at each step of the walk %s goes on when it runs again',
    async (walk, least) => {
      const all = await points(kmsWalks[walk]);
      expect(all.length).toBeGreaterThanOrEqual(least);
      await inLanes(all, lanes, (point) => on((rotating) => survives(kmsWalks[walk], point, rotating)));
    },
    900_000,
  );

  itInRest('of two at once makes one new key', async () => {
    await on(async (rotating) => {
      const { aws } = rotating.stage.host.world;
      aws.faults.order({ operation: 'kms:CreateKey', fault: { latency: 3000 }, times: 1 });
      const late = rotating.run();
      while (!aws.calls.some(({ operation }) => operation === 'kms:CreateKey')) await sleep(10);
      const early = await rotating.run();
      const both = [early, await late];
      expect(both.map(({ exitCode }) => exitCode)).toContain(0);
      for (const { exitCode, stderr } of both) expect([0, 2]).toContain(exitCode ?? stderr);
      kmsWalks.forward.check(rotating);
      expect((await rotating.stage.run([kmsName, ...rotating.stage.options, '--finish'])).exitCode).toBe(0);
      kmsWalks.finish.check(rotating);
    });
  });
});
