/** All rows of the table of local faults, and the two grounds on which they run. */
import { commandRows } from './command-rows.ts';
import { HostGround, type HostRow } from './host-row.ts';
import { hostRows } from './host-rows.ts';
import { JobGround, type JobRow } from './job-row.ts';
import { jobRows } from './job-rows.ts';
import type { LocalOutcome } from './judge.ts';

export type LocalRow = HostRow | JobRow;

export const localRows: readonly LocalRow[] = [...jobRows, ...hostRows, ...commandRows];

export const nameOf = ({ step, trouble }: LocalRow): string => `${step.name} × ${trouble.name}`;

export interface LocalGround {
  readonly run: (row: LocalRow) => Promise<LocalOutcome>;
  readonly close: () => Promise<void>;
}

export async function openLocalGround(): Promise<LocalGround> {
  const [jobs, hosts] = await Promise.all([JobGround.open(), HostGround.open()]);
  return {
    run: async (row) => ('part' in row.step ? jobs.run(row as JobRow) : hosts.run(row as HostRow)),
    close: async () => {
      await Promise.all([jobs.close(), hosts.close()]);
    },
  };
}
