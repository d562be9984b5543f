/** Records command lines and environments of one test's processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { runningProcesses } from './runner/process-table.ts';

export interface Watch {
  /** Ends the watch and returns everything that was recorded. */
  readonly stop: () => Promise<string>;
}

/** Watches only processes with the folder in their arguments or environment. */
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
