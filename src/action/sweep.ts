/** Leftovers of jobs that died on this runner: their agents and folders go before a new job starts its own. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { agentSockets } from '../ssh/agent.ts';
import { isJobFolder, jobFolder } from './job-folder.ts';
import { unloadKeys } from './unload-keys.ts';
import type { Workflow } from './workflow.ts';

/**
 * Only what is ours by its name, lies in this runner's RUNNER_TEMP and was left by another job: RUNNER_TRACKING_ID is the
 * runner's own name for one. An earlier use in this job stays.
 */
export async function sweep(temp: string, trackingId: string | undefined, workflow: Workflow): Promise<void> {
  if (!trackingId) return;
  const names = await readdir(temp);
  // The runner empties RUNNER_TEMP between jobs: an agent may have outlived its folder.
  const abandoned = (await agentSockets())
    .map((socket) => dirname(socket))
    .filter((path) => dirname(path) === temp);
  const paths = [...names.map((name) => join(temp, name)), ...abandoned].filter((path) =>
    isJobFolder(basename(path)),
  );
  for (const path of new Set(paths)) {
    const owner = await readFile(jobFolder(path).owner, 'utf8').catch(() => '');
    if (owner === trackingId) continue;
    workflow.info(`removing what an earlier job left behind: ${path}`);
    await unloadKeys({ folder: path, replaced: {} }, { ...workflow, info: () => undefined });
  }
}
