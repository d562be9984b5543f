/** How long the machine's own metadata is waited for. */

/** Milliseconds: off EC2 nothing answers, and nobody should wait for that. */
const usual = 1_000;
/** Milliseconds; and whoever waits has a limit of his own. */
const longest = 15_000;

/**
 * A second of this process's own time. Where dozens of connections begin at once, each gets a small part of the processor,
 * and a second is over before it comes to read the answer that is there.
 *
 * @returns milliseconds for one request
 */
export function metadataPatience(): number {
  const { user, system } = process.cpuUsage();
  const had = (user + system) / 1_000;
  return Math.min(longest, usual * Math.max(1, performance.now() / had));
}
