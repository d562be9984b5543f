/** What a pure function throws, where it may throw a Failure and nothing else. */
import { Failure } from '../../src/errors.ts';

/** The Failure that the call throws. Anything else that it throws goes on, and no failure is one too. */
export function failureOf(call: () => unknown): Failure {
  const outcome = outcomeOf(call);
  if (outcome instanceof Failure) return outcome;
  throw new Error('nothing was thrown');
}

/** What the call returns, or the Failure that it throws. Anything else that it throws goes on. */
export function outcomeOf<T>(call: () => T): T | Failure {
  try {
    return call();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** Everything that people are told. */
export function told({ message, hint }: Failure): string {
  return `${message}\n${hint}`;
}

/** The first run of eight characters of the secret that people are told; undefined where none is. */
export function leakOf(failure: Failure, secret: string): string | undefined {
  const text = told(failure);
  const packed = secret.replace(/\s+/g, '');
  for (let start = 0; start + 8 <= packed.length; start++) {
    const run = packed.slice(start, start + 8);
    if (text.includes(run)) return run;
  }
  return undefined;
}
