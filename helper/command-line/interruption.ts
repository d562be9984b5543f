/** When a program gives up: somebody interrupts it, or it takes too long. */
import { constants } from 'node:os';
import { Failure } from '../../src/errors.ts';
import type { SignalSource } from '../../src/process/attached.ts';

export interface Interruption {
  /** Aborted with a Failure as its reason. */
  readonly signal: AbortSignal;
  /** 128 and the number of the signal that came, as a shell has it; undefined where none has. */
  exitCode(): number | undefined;
}

export function interruption(signals: SignalSource, seconds: number): Interruption {
  const controller = new AbortController();
  let code: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    signals.on(name, () => {
      code ??= 128 + constants.signals[name];
      controller.abort(new Failure('TIMEOUT', `interrupted by ${name}`, { hint: 'run it again' }));
    });
  }
  const tooLong = new Failure('TIMEOUT', `reading the keys took longer than ${seconds} seconds`, {
    hint: 'run it with --verbose to see what it waits for, and check the network of this host',
  });
  setTimeout(() => {
    controller.abort(tooLong);
  }, seconds * 1000).unref();
  return { signal: controller.signal, exitCode: () => code };
}
