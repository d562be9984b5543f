/** How long a call that AWS throttled waits before its next try. Pure. docs/scale.md has what it was tuned by. */
import { backOff } from '../back-off.ts';

/** Milliseconds. */
const waits = { first: 2_000, longest: 10_000 };
const signatureWaits = { first: 200, longest: 500 };

/**
 * Hosts that wait at least half of it spend few calls, which AWS would refuse.
 *
 * @param tries that were refused, at least 1
 * @param random from 0 to 1
 * @returns milliseconds
 */
export function waitWhenThrottled(tries: number, random: () => number = Math.random): number {
  return backOff(waits, tries, random);
}

/**
 * For a signature, which ssh waits for: its time is short, so few of many that ask at once would get their turn after longer
 * waits.
 *
 * @param tries that were refused, at least 1
 * @param random from 0 to 1
 * @returns milliseconds
 */
export function waitForSignature(tries: number, random: () => number = Math.random): number {
  return Math.min(signatureWaits.first * 2 ** (tries - 1), signatureWaits.longest) * (0.5 + random());
}
