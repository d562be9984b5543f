/** The lines of the job or of the exec around this process whose keys sign: stored keys are in the agent already. */
import { findJobUses } from '../explain/job-uses.ts';
import type { JobLine } from './wanted.ts';

export async function jobLinesOf(env: Readonly<Record<string, string | undefined>>): Promise<JobLine[]> {
  const { uses } = await findJobUses(env);
  return uses.flatMap(({ routes }) => {
    // A key with several repositories has several routes.
    const lines = new Map(routes.flatMap(({ key, line }) => (line ? [[key, line] as const] : [])));
    return [...lines].map(([key, line]) => ({ line, from: `key ${key + 1} of keys` }));
  });
}
