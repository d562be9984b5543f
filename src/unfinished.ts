/** Node ends a process in silence (exit code 13) as soon as it has nothing to wait for, whatever the program still awaits. */
import { Failure } from './errors.ts';

/** @param what was never finished */
export function unfinished(what: string): Failure {
  return new Failure('INTERNAL', `${what} came to a stop: an answer was lost, and nobody waits for it`, {
    hint: 'please report this with the log of the step; it holds no secrets',
  });
}

/** The part of `process` that this needs. */
export interface Emptying {
  on(event: 'beforeExit', listener: () => void): unknown;
}

/**
 * To be called before the work begins; whoever has finished it exits by itself.
 *
 * @param give called once, when nothing is left that could finish the work; it has to end the process
 */
export function onUnfinished(source: Emptying, what: string, give: (failure: Failure) => void): void {
  source.on('beforeExit', () => {
    give(unfinished(what));
  });
}
