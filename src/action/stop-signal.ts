/** When to give up: the runner cancels the step, or it has taken too long. */
import { Failure } from '../errors.ts';
import { abortAfter, tookTooLong, unfinished } from '../deadline.ts';

/** The part of `process` that this function needs. */
interface Signals {
  on(event: 'SIGINT' | 'SIGTERM' | 'beforeExit', listener: () => void): unknown;
}

/**
 * Aborted with a Failure as its reason. The runner cancels by SIGINT, then by SIGTERM. If Node has nothing left to wait
 * for and the step has not ended, its promise will never settle: that is a defect, and is reported as one.
 */
export function stopSignal(signals: Signals, timeoutSeconds: number): AbortSignal {
  const controller = new AbortController();
  const cancel = (): void => {
    controller.abort(new Failure('TIMEOUT', 'the step was cancelled', { hint: 'nothing was left loaded' }));
  };
  signals.on('SIGINT', cancel);
  signals.on('SIGTERM', cancel);
  signals.on('beforeExit', () => {
    controller.abort(unfinished('loading the keys'));
  });
  const hint = 'see above what it waited for, check the network of the runner, or raise timeout-seconds';
  const tooLong = tookTooLong('loading the keys', timeoutSeconds, hint);
  abortAfter(timeoutSeconds * 1000, controller, tooLong).unref();
  return controller.signal;
}
