/** Giving up: on what takes too long, on what a signal ends, and on what nothing is left to finish. */
import { Failure } from './errors.ts';

/** @param hint what to check, or how to give it more time */
export function tookTooLong(what: string, seconds: number, hint: string): Failure {
  return new Failure('TIMEOUT', `${what} took longer than ${seconds} seconds`, { hint });
}

/** Rejects with the signal's reason as soon as it is aborted, even if the work ignores the signal, as the AWS SDK may. */
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

/** Unlike AbortSignal.timeout it has a reason that people can be told, and keeps Node alive unless its timer is unref'd. */
export function abortAfter(milliseconds: number, controller: AbortController, reason: Error): NodeJS.Timeout {
  return setTimeout(() => {
    controller.abort(reason);
  }, milliseconds);
}

export interface Deadline {
  readonly milliseconds: number;
  readonly reason: Error;
  /** Ends the work as well. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param work gets a signal that ends when the time is over, or with the signal that was given
 * @throws the reason, or that of the signal, even if the work ignores its signal
 */
export async function withDeadline<T>(
  { milliseconds, reason, signal }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = abortAfter(milliseconds, limit, reason);
  const both = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal;
  try {
    return await abortable(work(both), both);
  } finally {
    clearTimeout(timer);
  }
}

/** undefined where the work takes longer. It goes on. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
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
 * Node ends a process without a word (exit code 13) as soon as it has nothing to wait for, whatever the program still awaits.
 * To be called before the work begins; whoever has finished it exits by itself.
 *
 * @param give called once, when nothing is left that could finish the work; it has to end the process
 */
export function onUnfinished(source: Emptying, what: string, give: (failure: Failure) => void): void {
  source.on('beforeExit', () => {
    give(unfinished(what));
  });
}
