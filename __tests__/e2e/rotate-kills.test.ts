/** rotate is killed at each call to a server, and while it proves a key. Then it runs again. */
import { describe, expect } from '@jest/globals';
import { inLanes } from '../support/in-lanes.ts';
import { it, itInRest } from '../support/parts.ts';
import { useKeys } from './rotate-stage.ts';
import {
  killAt,
  pointsOf,
  Rotating,
  survives,
  walks,
  type Kind,
  type Point,
  type Walk,
} from './rotate-walks.ts';

/** Whether something was changed, or is proven. */
const isAfter = ({ fault, server }: Point): boolean => fault === 'unanswered' || server === 'proof';
/** As many walks at once as are faster together. */
const lanes = [1, 2, 3, 4];

describe('rotate that is killed', () => {
  const open = useKeys();

  async function on<Result>(kind: Kind, work: (rotating: Rotating) => Promise<Result>): Promise<Result> {
    const stage = await open();
    try {
      return await work(new Rotating(stage, kind));
    } finally {
      await stage.stop();
    }
  }
  const points = (kind: Kind, walk: Walk): Promise<Point[]> =>
    on(kind, (rotating) => pointsOf(walk, rotating));

  it('when the new key was served, and AWS did not answer, goes on', async () => {
    const all = await points('parameter', walks.forward);
    const point = all.filter(({ operation }) => operation === 'ssm:PutParameter').at(-1);
    expect(point?.fault).toBe('unanswered');
    if (point) await on('parameter', (rotating) => survives(walks.forward, point, rotating));
  });

  it.each(['LabelParameterVersion', 'PutParameter'])(
    'before a later %s goes back with --abort',
    async (operation) => {
      const all = await points('parameter', walks.forward);
      const point = all.findLast(
        ({ operation: one, fault }) => one === `ssm:${operation}` && fault === 'hang',
      );
      expect(point).toBeDefined();
      if (!point) return;
      await on('parameter', async (rotating) => {
        await killAt(point, rotating, []);
        expect((await rotating.run('--finish')).stderr).toContain('does not replace the old one yet');
        expect((await rotating.run('--abort')).exitCode).toBe(0);
        const old = rotating.stage.oldPublicKey;
        expect(rotating.state).toEqual({ served: old, registered: [old] });
      });
    },
  );

  const table: [Kind, keyof typeof walks, number][] = [
    ['parameter', 'forward', 20],
    ['parameter', 'finish', 8],
    ['parameter', 'abort', 16],
    ['secret', 'forward', 8],
    ['secret', 'finish', 3],
    ['secret', 'abort', 7],
  ];
  itInRest.each(table)(
    'at each step, with a %s and the walk %s, goes on when it runs again',
    async (kind, walk, least) => {
      const found = await points(kind, walks[walk]);
      // A call that hangs leaves what the answer before it left.
      const all = kind === 'secret' ? found.filter(isAfter) : found;
      expect(all.length).toBeGreaterThanOrEqual(least);
      await inLanes(all, lanes, (point) => on(kind, (rotating) => survives(walks[walk], point, rotating)));
    },
    900_000,
  );
});
