/** Work that is given up on when its signal is aborted, whether or not it listens. */
import type { Failure } from './errors.ts';

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
