/** How long one try of a request may take. Pure. */

/** Milliseconds. No try of a call takes longer. */
export const longest = 10_000;
/** Milliseconds. With less time, calls over a slow network would fail. */
const shortest = 1_500;

/**
 * The time for one try. If it hangs, time must be left for another try, in each Region, and for the next calls.
 *
 * @returns milliseconds
 */
export function patienceOf({
  timeoutSeconds,
  maxAttempts,
  regions,
}: {
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
  readonly regions: readonly string[];
}): number {
  const all = timeoutSeconds * 1000;
  const share = maxAttempts === 1 ? all : all / (2 * (regions.length + 1));
  return Math.min(longest, all, Math.max(shortest, share));
}
