/** The processes of a test run, and the file with the tests that cannot run here. */
import { join } from 'node:path';
import { runningProcesses, type RunningProcess } from '../runner/process-table.ts';

/** Processes with the run's folder in their arguments or environment: all programs of the tests, and jest's workers. */
export function processesOf(folder: string): RunningProcess[] {
  return runningProcesses().filter(
    ({ pid, command, environment }) =>
      pid !== process.pid && (command.includes(folder) || environment.includes(folder)),
  );
}

/** A line for each test or group that was not run, with the reason. */
export const notRunFile = (folder: string): string => join(folder, 'not-run');
