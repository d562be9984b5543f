/** The routes of the action or of exec around this process, in the order in which ssm-ssh reads them. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { JobUse } from '../../src/host/explain.ts';
import { readRouteLines } from '../../src/keys/route-lines.ts';
import { readSigningLines } from '../../src/keys/signing-lines.ts';
import { folderOfCommand } from '../../src/ssh/key-folder.ts';

export interface JobUses {
  readonly uses: readonly JobUse[];
  /** The action notes its installation, for keys of git's configuration. exec does not. */
  readonly usesHostKeys: boolean;
}

/** Found by GIT_SSH_COMMAND, which the action and exec set, or by SSM_SSH_JOB, which our launcher sets in a job. */
export async function findJobUses(env: Readonly<Record<string, string | undefined>>): Promise<JobUses> {
  const folder = folderOfCommand(env['GIT_SSH_COMMAND'] ?? '') ?? env['SSM_SSH_JOB'];
  if (!folder) return { uses: [], usesHostKeys: true };
  const uses = await usesFrom(folder);
  const installation = await textOf(join(folder, 'installation'));
  return { uses, usesHostKeys: uses.length === 0 || installation !== undefined };
}

async function usesFrom(folder: string): Promise<JobUse[]> {
  const routes = await textOf(join(folder, 'routes'));
  if (routes === undefined) return [];
  const before = ((await textOf(join(folder, 'before'))) ?? '').trim();
  const earlier =
    before === '' || before !== basename(before) ? [] : await usesFrom(join(dirname(folder), before));
  const lines = readSigningLines((await textOf(join(folder, 'signing'))) ?? '');
  return [
    { folder, routes: readRouteLines(routes).map((route) => ({ ...route, line: lines.get(route.key) })) },
    ...earlier,
  ];
}

async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}
