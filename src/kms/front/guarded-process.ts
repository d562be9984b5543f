/** Protects the memory of the process that the agent in front runs in, and ends it by signals. */
import { writeFile } from 'node:fs/promises';
import type { Front } from './front.ts';

/** The part of `process` that this needs. */
export interface Signals {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
}

/**
 * Call this before anything else: Node answers SIGUSR1 by opening its inspector on 127.0.0.1:9229, where every user of
 * the machine could read the credentials. With a listener it does not. A core file would have them, too.
 */
export async function guardProcess(signals: Signals): Promise<void> {
  signals.on('SIGUSR1', () => undefined);
  // The limit for core files can only be set by the program that starts this one. This leaves all memory out of them.
  await writeFile('/proc/self/coredump_filter', '0').catch(() => undefined);
}

/** The signals of a terminal that closes, of ^C, and of `kill`. The sockets are removed. */
export function endBySignals(front: Pick<Front, 'end'>, signals: Signals): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    signals.on(signal, () => void front.end());
  }
}
