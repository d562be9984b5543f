/** The waits of throttled calls, in a fleet. `npm run bench -- fleet` has more of it. */
import { describe, expect, it } from '@jest/globals';
import { seeded, simulate, type Outcome } from '../../bench/fleet/simulate.ts';

describe('five hundred hosts or jobs that start at the same time', () => {
  it.each([
    ['hosts', { attempts: 100, timeout: 30 }],
    ['jobs', { attempts: 5, timeout: 120 }],
  ])('(%s) all get their key with the default settings', (_, patience) => {
    const fleet = { hosts: 500, quota: { rate: 40 }, within: 0, ...patience };
    const failed = Array.from(
      { length: 10 },
      (_, seed) => simulate({ ...fleet, random: seeded(seed) }).failed,
    );
    expect(Math.max(...failed)).toBe(0);
  });
});

describe('a thousand hosts that start at the same time, at 40 calls a second', () => {
  const runs = (more: { within?: number; burst?: number; timeout?: number } = {}): Outcome[] => {
    const { within = 0, burst = 40, timeout = 60 } = more;
    const fleet = { hosts: 1_000, quota: { rate: 40, burst }, attempts: 100, within, timeout };
    return Array.from({ length: 10 }, (_, seed) => simulate({ ...fleet, random: seeded(seed) }));
  };
  const most = (outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number =>
    Math.max(...outcomes.map(of));

  it.each<[string, Parameters<typeof runs>[0]]>([
    ['at once', {}],
    ['within a second', { within: 1 }],
    ['within five seconds', { within: 5 }],
    ['within a minute', { within: 60 }],
    ['at once, with a bucket of half a second', { burst: 20 }],
  ])('%s all get their key in 1.5 of the ideal time, with 8 calls at most', (_, more) => {
    const outcomes = runs(more);
    const ideal = Math.max(25, more?.within ?? 0);
    expect(most(outcomes, ({ failed }) => failed)).toBe(0);
    expect(most(outcomes, ({ served }) => served)).toBeLessThan(1.5 * ideal);
    expect(most(outcomes, ({ mostCalls }) => mostCalls)).toBeLessThanOrEqual(8);
  });

  it('need more than the default timeout of 30 seconds', () => {
    expect(most(runs({ timeout: 30 }), ({ failed }) => failed)).toBeGreaterThan(0);
  });

  it('would not all get it with three tries and the waits of the SDK', () => {
    const wait = (tries: number, random: () => number): number => random() * 1_000 * 2 ** (tries - 1);
    const fleet = { hosts: 1_000, quota: { rate: 40 }, within: 0, timeout: 30, attempts: 3, wait };
    expect(simulate({ ...fleet, random: seeded(1) }).failed).toBeGreaterThan(500);
  });
});
