/** A short version of `npm run fuzz:tunnel`. */
import { expect, test } from '@jest/globals';
import { fuzz } from './fuzz.ts';

test('20,000 frames, most of them noise or damaged: only correct bytes come out, and few messages are kept', () => {
  const { bytes, mostKept } = fuzz(20_000, 1);
  expect(bytes).toBeGreaterThan(1_000_000);
  // The window, stranded messages beyond it, and early messages.
  expect(mostKept).toBeLessThan(1_000 + 8_192 + 10_000);
});
