/** How long a caller waits before its next try. Pure. */

/** Milliseconds. */
export interface Waits {
  readonly first: number;
  readonly longest: number;
}

/**
 * Doubles, and differs by half, so that callers that were refused together do not come back together.
 *
 * @param tries that failed, at least 1
 * @param random from 0 to 1
 * @returns milliseconds
 */
export function backOff(
  { first, longest }: Waits,
  tries: number,
  random: () => number = Math.random,
): number {
  return Math.min(longest, first * 2 ** (tries - 1)) * (1 - random() / 2);
}
