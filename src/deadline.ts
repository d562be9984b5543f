/** Time limits, aborted signals, and work that can no longer finish. */
import { setMaxListeners } from 'node:events';
import { Failure } from './errors.ts';

/** @param hint what to check, or how to raise the limit */
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
    // Node 20 warns if a signal has more than ten listeners.
    signal.removeEventListener('abort', stop);
  }
}

/** Aborted with one of the signals, for its reason. AbortSignal.any came with Node 20.3. */
export function anySignal(...signals: readonly AbortSignal[]): AbortSignal {
  // eslint-disable-next-line node/no-unsupported-features/node-builtins -- asked first
  if ('any' in AbortSignal) return AbortSignal.any([...signals]);
  const controller = new AbortController();
  // Else Node warns of a leak where one signal is joined with many.
  setMaxListeners(0, ...signals);
  for (const signal of signals) {
    const stop = (): void => {
      controller.abort(signal.reason);
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  }
  return controller.signal;
}

/**
 * Unlike AbortSignal.timeout, it has a reason to show to people, and its timer keeps Node alive unless unref() is
 * called.
 */
export function abortAfter(milliseconds: number, controller: AbortController, reason: Error): NodeJS.Timeout {
  return setTimeout(() => {
    controller.abort(reason);
  }, milliseconds);
}

export interface Deadline {
  readonly milliseconds: number;
  readonly reason: Error;
  /** Also ends the work. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param work gets a signal that is aborted at the time limit, or together with the given signal
 * @throws the reason, or the reason of the signal, even if the work ignores its signal
 */
export async function withDeadline<T>(
  { milliseconds, reason, signal }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = abortAfter(milliseconds, limit, reason);
  const both = signal ? anySignal(signal, limit.signal) : limit.signal;
  try {
    return await abortable(work(both), both);
  } finally {
    clearTimeout(timer);
  }
}

/** @returns undefined if the work takes longer; the work continues */
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

/** @param what the work that was never finished */
export function unfinished(what: string): Failure {
  return new Failure('INTERNAL', `${what} stopped without a result: an answer was lost`, {
    hint: 'please report this with the log of the step; it holds no secrets',
  });
}

/** The part of `process` that this needs. */
export interface ExitEvents {
  on(event: 'beforeExit', listener: () => void): unknown;
}

/**
 * Node exits silently with code 13 as soon as its event loop is empty, even if the program still awaits a promise.
 * Call this before the work begins. A program that has finished its work has to call process.exit.
 *
 * @param give called once, when nothing is left that could finish the work; it has to end the process
 */
export function onUnfinished(source: ExitEvents, what: string, give: (failure: Failure) => void): void {
  source.on('beforeExit', () => {
    give(unfinished(what));
  });
}
