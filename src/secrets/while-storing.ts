/** A call that stores a value: people are told if it is interrupted, because AWS may have stored it. */
import type { Reference } from '../keys/reference.ts';
import type { WriteOptions } from './new-version.ts';

/** @throws the signal's reason without a call, if it is aborted already; the errors of the call */
export async function whileStoring<T>(
  { text }: Reference,
  { signal, warn }: Pick<WriteOptions, 'signal' | 'warn'>,
  call: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const stop = (): void => {
    warn(
      `interrupted while ${text} was being stored: ssm-ssh-agent public ${text} shows whether it is there`,
    );
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await call();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
