/** Runs independent checks at the same time. A check that fails or takes too long does not stop the others. */
import { tookTooLong, withDeadline } from '../../src/deadline.ts';
import { failed, printable, type Finding } from './finding.ts';

export interface Check {
  /** The name in findings about the check itself. */
  readonly name: string;
  /** Seconds. */
  readonly limit: number;
  /** Errors become a finding of the check's name. */
  readonly run: (signal: AbortSignal) => Promise<readonly Finding[]>;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** Called each time that a check has ended. */
  readonly progress: (done: number, all: number) => void;
}

/**
 * @returns the findings in the order of the checks
 * @throws the reason of the signal
 */
export async function runChecks(checks: readonly Check[], options: RunOptions): Promise<Finding[]> {
  const { signal, progress } = options;
  let done = 0;
  const running = checks.map(async (check) => {
    const findings = (await runCheck(check, signal)).map(printable);
    progress(++done, checks.length);
    return findings;
  });
  return (await Promise.all(running)).flat();
}

async function runCheck({ name, limit, run }: Check, signal: AbortSignal): Promise<readonly Finding[]> {
  const reason = tookTooLong(
    `the check "${name}"`,
    limit,
    'run doctor again, and check the network of this machine',
  );
  try {
    return await withDeadline({ milliseconds: limit * 1000, reason, signal }, run);
  } catch (error) {
    signal.throwIfAborted();
    return [failed(name, error)];
  }
}
