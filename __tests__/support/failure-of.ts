/** The Failure that a pure function throws. It may throw no other error. */
import { Failure } from '../../src/errors.ts';

/** Returns the Failure that the call throws. Fails if the call throws nothing or another error. */
export function failureOf(call: () => unknown): Failure {
  const outcome = outcomeOf(call);
  if (outcome instanceof Failure) return outcome;
  throw new Error('nothing was thrown');
}

/** The result of the call, or the Failure that it throws. Other errors are thrown. */
export function outcomeOf<T>(call: () => T): T | Failure {
  try {
    return call();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** All text that people see. */
export function told({ message, hint }: Failure): string {
  return `${message}\n${hint}`;
}

/** The first eight characters of the secret that are shown; undefined if none are. */
export function leakOf(failure: Failure, secret: string): string | undefined {
  const text = told(failure);
  const packed = secret.replace(/\s+/g, '');
  for (let start = 0; start + 8 <= packed.length; start++) {
    const run = packed.slice(start, start + 8);
    if (text.includes(run)) return run;
  }
  return undefined;
}
