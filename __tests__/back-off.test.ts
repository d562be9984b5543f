import { expect, it } from '@jest/globals';
import { backOff } from '../src/back-off.ts';

const waits = { first: 100, longest: 1_000 };

it('doubles with each try, and stops at the longest wait', () => {
  expect([1, 2, 3, 4, 5, 6].map((tries) => backOff(waits, tries, () => 0))).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ]);
});

it('takes away up to half at random', () => {
  expect(backOff(waits, 2, () => 0.5)).toBe(150);
  expect(backOff(waits, 9, () => 1)).toBe(500);
});
