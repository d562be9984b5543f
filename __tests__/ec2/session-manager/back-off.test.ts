import { describe, expect, it } from '@jest/globals';
import { waitBefore } from '../../../src/ec2/session-manager/back-off.ts';

describe('the wait for the next socket', () => {
  it('does not exist before the first try', () => {
    expect(waitBefore(1)).toBe(0);
  });

  it('doubles up to five seconds', () => {
    const waits = [2, 3, 4, 5, 6, 7, 8, 20].map((tries) => waitBefore(tries, () => 0));
    expect(waits).toEqual([200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  it('is up to a quarter shorter by chance', () => {
    expect([waitBefore(2, () => 1), waitBefore(20, () => 0.5)]).toEqual([150, 4375]);
  });
});
