/** What the set-up of a run of the tests leaves for its tear-down, in the same process. */
import type { ChildProcess } from 'node:child_process';

export interface SuiteRun {
  /** TMPDIR of all tests. */
  readonly folder: string;
  readonly watchdog: ChildProcess;
  /** TMPDIR as it was. */
  readonly tmpdir: string | undefined;
}

export const suiteRun: { current?: SuiteRun } = {};
