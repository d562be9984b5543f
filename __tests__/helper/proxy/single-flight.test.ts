/** Many processes need one value at the same time: it is made once, and the process that makes it may fail or be killed. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { madeAlready, singleFlight, type Making } from '../../../helper/proxy/single-flight.ts';

let folder: string;
let place: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'single-flight-'));
  place = join(folder, 'place');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

class Counting implements Making<number> {
  made = 0;
  readonly signal: AbortSignal = new AbortController().signal;
  readonly patience: number = 10_000;
  readonly isGood: Making<number>['isGood'] = () => true;

  constructor(more: Partial<Making<number>> = {}) {
    Object.assign(this, more);
  }

  /** Makes 1, 2, 3 … */
  readonly make: Making<number>['make'] = async () => {
    this.made += 1;
    const made = this.made;
    await sleep(20);
    return made;
  };
}

const counting = (more?: Partial<Making<number>>): Counting => new Counting(more);

it('is made once for any number of callers', async () => {
  const making = counting();
  const got = await Promise.all(Array.from({ length: 40 }, () => singleFlight(place, making)));
  expect([making.made, new Set(got)]).toEqual([1, new Set([1])]);
  expect(await singleFlight(place, making)).toBe(1);
  expect(await madeAlready(place, making)).toBe(1);
});

it('is made again, once, if it can no longer be used; older folders are removed', async () => {
  let old = 0;
  const making = counting({ isGood: (made) => made > old });
  for (const expected of [1, 2, 3]) {
    const got = await Promise.all(Array.from({ length: 8 }, () => singleFlight(place, making)));
    expect(new Set(got)).toEqual(new Set([expected]));
    expect(await madeAlready(place, making)).toBe(expected);
    old = expected;
    expect(await madeAlready(place, making)).toBeUndefined();
  }
  // The latest and the one before, which other processes may still read.
  expect(readdirSync(place).sort()).toEqual(['2', '3']);
});

it('has its own folder for files', async () => {
  const making = counting({
    make: (own) => {
      mkdirSync(join(own, 'mark'));
      return Promise.resolve(7);
    },
    isGood: (_, own) => existsSync(join(own, 'mark')),
  });
  expect(await singleFlight(place, making)).toBe(7);
  expect(await madeAlready(place, making)).toBe(7);
  rmSync(join(place, '1', 'mark'), { recursive: true });
  expect(await madeAlready(place, making)).toBeUndefined();
});

it('fails only for its maker, leaves nothing, and can be made again', async () => {
  const reason = new Error('no');
  await expect(singleFlight(place, counting({ make: () => Promise.reject(reason) }))).rejects.toBe(reason);
  expect(readdirSync(place)).toEqual([]);
  expect(await singleFlight(place, counting())).toBe(1);
});

it('is made by a waiting process if its maker is gone', async () => {
  const begun = join(place, '1');
  mkdirSync(begun, { recursive: true });
  const started = Date.now();
  const making = counting({ patience: 300 });
  await Promise.all([singleFlight(place, making), singleFlight(place, making)]);
  expect(making.made).toBe(1);
  expect(Date.now() - started).toBeGreaterThanOrEqual(250);
});

it('is valid for its maker even if two others have made newer ones', async () => {
  const slow = counting({
    patience: 50,
    make: async (own) => {
      await sleep(400);
      return Number(own.slice(place.length + 1));
    },
  });
  const got = await Promise.all([1, 2, 3].map(() => singleFlight(place, slow)));
  expect(got.sort()).toEqual([1, 2, 3]);
});

it('is not waited for if it was started long ago', async () => {
  const begun = join(place, '1');
  mkdirSync(begun, { recursive: true });
  utimesSync(begun, 0, 0);
  expect(await singleFlight(place, counting())).toBe(1);
});

it('is not waited for after the signal is aborted', async () => {
  mkdirSync(join(place, '1'), { recursive: true });
  const stop = new AbortController();
  const waiting = singleFlight(place, counting({ signal: stop.signal }));
  setTimeout(() => {
    stop.abort(new Error('enough'));
  }, 50);
  await expect(waiting).rejects.toThrow();
  expect(readdirSync(place)).toEqual(['1']);
});

it('does not exist before it is made, and reading creates nothing', async () => {
  expect(await madeAlready(place, counting())).toBeUndefined();
  expect(existsSync(place)).toBe(false);
});
