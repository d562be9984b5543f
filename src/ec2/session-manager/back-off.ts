/** How long a tunnel that lost its socket waits before the next try. Pure. */

/** Milliseconds. */
const waits = { first: 200, longest: 5_000 };

/**
 * Sockets are closed after a quarter of an hour by routine, so the first try comes at once. Later waits double, and differ
 * by a quarter, so that many tunnels that lost their sockets together do not come back together.
 *
 * @param tries since a socket last worked, at least 1
 * @param random from 0 to 1
 * @returns milliseconds
 */
export function waitBefore(tries: number, random: () => number = Math.random): number {
  if (tries === 1) return 0;
  return Math.min(waits.first * 2 ** (tries - 2), waits.longest) * (1 - random() / 4);
}
