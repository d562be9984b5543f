/** Work that is given up on when its signal is aborted, whether or not it listens. */
import { Failure } from './errors.ts';

/** Rejects with the signal's reason as soon as it is aborted: not everything that the AWS SDK waits for can be told to stop. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Failure);
    };
  });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    // Node 20 warns where more than ten listen.
    signal.removeEventListener('abort', stop);
  }
}

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
