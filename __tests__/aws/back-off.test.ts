import { describe, expect, it } from '@jest/globals';
import { waitForSignature, waitWhenThrottled } from '../../src/aws/back-off.ts';

const [shortest, longest] = [() => 1, () => 0];

describe('the wait of a call that AWS throttled', () => {
  it.each([
    [1, 1_000, 2_000],
    [2, 2_000, 4_000],
    [3, 4_000, 8_000],
    [4, 5_000, 10_000],
    [5, 5_000, 10_000],
    [100, 5_000, 10_000],
  ])('after %i tries is between %i and %i milliseconds', (tries, from, to) => {
    expect(waitWhenThrottled(tries, shortest)).toBe(from);
    expect(waitWhenThrottled(tries, longest)).toBe(to);
  });

  it('differs from host to host', () => {
    const waits = Array.from({ length: 100 }, () => waitWhenThrottled(1));
    expect(new Set(waits).size).toBeGreaterThan(90);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(500);
  });
});

describe('the wait of a signature that KMS throttled', () => {
  it.each([
    [1, 100, 300],
    [2, 200, 600],
    [3, 250, 750],
    [100, 250, 750],
  ])('after %i tries is between %i and %i milliseconds', (tries, from, to) => {
    expect(waitForSignature(tries, () => 0)).toBe(from);
    expect(waitForSignature(tries, () => 1)).toBe(to);
  });
});
