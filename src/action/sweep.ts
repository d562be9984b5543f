/** Leftovers of jobs that died on this runner: their agents, folders and blocks go before a new job starts its own. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { cacheSockets } from '../git/credential-cache.ts';
import { agentSockets } from '../ssh/agent.ts';
import { blockNames } from '../ssh/user-files.ts';
import type { Env } from './input.ts';
import { folderOfSocket, isJobFolder, jobFolder, shelteredFile } from './job-folder.ts';
import { unloadKeys } from './unload-keys.ts';
import type { Workflow } from './workflow.ts';

/**
 * Only what is ours by its name, lies in this runner's RUNNER_TEMP and was left by another job: RUNNER_TRACKING_ID is the
 * runner's own name for one. An earlier use in this job stays.
 */
export async function sweep(
  temp: string,
  { env, workflow }: { readonly env: Env; readonly workflow: Workflow },
): Promise<void> {
  const trackingId = env['RUNNER_TRACKING_ID'];
  if (!trackingId) return;
  const blocks = await blockNames().catch((): string[] => []);
  const shelters = await findShelters();
  // The runner empties RUNNER_TEMP between jobs: an agent, a shelter or a block may have outlived its folder.
  const paths = [
    ...(await readdir(temp)).map((name) => join(temp, name)),
    ...(await Promise.all([agentSockets(), cacheSockets()])).flat().map(folderOfSocket),
    ...shelters.keys(),
    ...blocks,
  ].filter((path) => dirname(path) === temp && isJobFolder(basename(path)));
  for (const folder of new Set(paths)) {
    const owner = await readFile(jobFolder(folder).owner, 'utf8').catch(() => '');
    if (owner === trackingId) continue;
    workflow.info(`removing what an earlier job left behind: ${folder}`);
    const left = { folder, socket: shelters.get(folder), sshConfig: blocks.includes(folder), replaced: {} };
    await unloadKeys(left, { env, workflow: { ...workflow, info: () => undefined } });
  }
}

/** Job folder → the socket that this user has for it elsewhere. */
async function findShelters(): Promise<Map<string, string>> {
  const shelters = new Map<string, string>();
  for (const place of new Set([tmpdir(), '/tmp'])) {
    const names = await readdir(place).catch(() => []);
    for (const shelter of names.filter(isJobFolder).map((name) => join(place, name))) {
      const { uid } = await lstat(shelter).catch(() => ({ uid: undefined }));
      if (uid !== process.getuid?.()) continue;
      const folder = await readFile(join(shelter, shelteredFile), 'utf8').catch(() => undefined);
      if (folder !== undefined) shelters.set(folder, join(shelter, 'agent'));
    }
  }
  return shelters;
}
