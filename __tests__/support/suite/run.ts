/** Data from the set-up of a test run for its tear-down, in the same process. */
import type { ChildProcess } from 'node:child_process';

export interface SuiteRun {
  /** TMPDIR of all tests. */
  readonly folder: string;
  readonly watchdog: ChildProcess;
  /** The original TMPDIR. */
  readonly tmpdir: string | undefined;
}

export const suiteRun: { current?: SuiteRun } = {};
