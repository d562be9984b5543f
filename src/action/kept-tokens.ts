/** The tokens that a use of the action keeps for git: a record of where, without them, and their end. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { toFailure } from '../errors.ts';
import { endCaches, readCredential } from '../git/credential-cache.ts';
import { revokeToken } from '../github-app/revoke.ts';
import type { Env } from './input.ts';
import type { JobFolder } from './job-folder.ts';
import type { Workflow } from './workflow.ts';

export interface Kept {
  readonly apiUrl: string;
  readonly host: string;
  readonly username: string;
  /** Of the daemon that has the token. */
  readonly socket: string;
}

export function renderKept(kept: Kept): string {
  return `${JSON.stringify(kept)}\n`;
}

/** Milliseconds for all of them. A token that outlives it ends by itself. */
const patience = 15_000;

/** Every daemon is ended, whether or not its token can be revoked: the runner may have emptied the folder. */
export async function endTokens(
  { tokens, socket }: Pick<JobFolder, 'tokens' | 'socket'>,
  { env, workflow }: { readonly env: Env; readonly workflow: Pick<Workflow, 'info' | 'warn'> },
): Promise<void> {
  const text = await readFile(tokens, 'utf8').catch(() => '');
  const signal = AbortSignal.timeout(patience);
  const sleep = (milliseconds: number): Promise<void> => setTimeout(milliseconds, undefined, { signal });
  for (const kept of text.split('\n').flatMap(readKept)) {
    const { apiUrl, host } = kept;
    try {
      const token = await readCredential(kept.socket, kept, { env, signal });
      if (token !== undefined) {
        await revokeToken(token, apiUrl, { env, signal, sleep, maxAttempts: 3 });
        workflow.info(`the token for ${host} is revoked`);
      }
    } catch (error) {
      workflow.warn(`the token for ${host} was not revoked, and ends by itself: ${toFailure(error).message}`);
    }
  }
  await endCaches(dirname(socket));
}

/** Nothing where the last line was cut. */
function readKept(line: string): Kept[] {
  try {
    return [JSON.parse(line) as Kept];
  } catch {
    return [];
  }
}
