/** A short version of `npm run fuzz:tunnel`. */
import { expect, test } from '@jest/globals';
import { fuzz } from './fuzz.ts';

test('20,000 frames, most of them noise or damaged: only right bytes come out, and little is kept', () => {
  const { bytes, mostKept } = fuzz(20_000, 1);
  expect(bytes).toBeGreaterThan(1_000_000);
  // The window to the agent, what is stranded beyond it, and early messages.
  expect(mostKept).toBeLessThan(1_000 + 8_192 + 10_000);
});
