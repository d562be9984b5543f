/** The processes of a run of the tests, and the file where tests say that they cannot run here. */
import { join } from 'node:path';
import { runningProcesses, type RunningProcess } from '../runner/process-table.ts';

/** Those that have the run's folder in their arguments or environment: all programs of the tests, and jest's workers. */
export function processesOf(folder: string): RunningProcess[] {
  return runningProcesses().filter(
    ({ pid, command, environment }) =>
      pid !== process.pid && (command.includes(folder) || environment.includes(folder)),
  );
}

/** A line for each test or group of tests that was not run: why. */
export const notRunFile = (folder: string): string => join(folder, 'not-run');
