/** Command lines and environments of the processes of one test, as they come and go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { runningProcesses } from './runner/process-table.ts';

export interface Watch {
  /** All that was seen until now, and the end of the watch. */
  readonly stop: () => Promise<string>;
}

/** Watches those that have the folder in their arguments or environment. A machine has other processes, which are none of the test's business. */
export function watchProcesses(folder: string): Watch {
  const seen = new Set<string>();
  const watching = new AbortController();
  const watch = async (): Promise<void> => {
    while (!watching.signal.aborted) {
      for (const { command, environment } of runningProcesses()) {
        if (command.includes(folder) || environment.includes(folder)) seen.add(`${command}\n${environment}`);
      }
      await sleep(2);
    }
  };
  const watched = watch();
  return {
    stop: async () => {
      watching.abort();
      await watched;
      return [...seen].join('\n');
    },
  };
}
