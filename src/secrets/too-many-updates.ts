/** Repeats a change that Parameter Store refuses because another change of the same parameter is under way. */
import { backOff } from '../back-off.ts';
import { readAwsError } from '../aws/failures.ts';

/** The SDK does not repeat a call that was refused with TooManyUpdates. */
const mostTries = 8;
/** Milliseconds between two tries. */
const waits = { first: 100, longest: 6_400 };

/** @param sleep milliseconds */
export async function untilAllowed<T>(
  change: () => Promise<T>,
  sleep: (milliseconds: number) => Promise<void>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await change();
    } catch (error) {
      if (readAwsError(error).name !== 'TooManyUpdates' || tries === mostTries) throw error;
      await sleep(backOff(waits, tries));
    }
  }
}
