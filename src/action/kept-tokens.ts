/** The tokens that a use of the action stores for git: a record of each, without the token, and how it is revoked. */
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { anySignal } from '../deadline.ts';
import { toFailure } from '../errors.ts';
import { isHost } from '../git/credential.ts';
import { endCache, endCaches, readCredential } from '../git/credential-cache.ts';
import { hostOfApi, isLocal, secureUrl } from '../github/api-url.ts';
import { inLanes } from '../in-lanes.ts';
import { revokeToken } from '../github/api.ts';
import type { Env } from './input.ts';
import type { JobFolder } from './job-folder.ts';
import { readOwnFile } from './own-file.ts';
import type { Workflow } from './workflow.ts';

export interface Kept {
  readonly apiUrl: string;
  readonly host: string;
  readonly username: string;
  /** The name of its daemon's socket, which is beside the agent's. */
  readonly daemon: string;
  /** SHA-256 of the token, in hexadecimal: by the end of the job the daemon may hold another token. */
  readonly digest: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/** For this step, its post step and later jobs. A record is added before a token is stored, and dropped if that fails. */
export interface TokenRecord {
  add(kept: Kept): Promise<void>;
  drop(kept: Kept): void;
}

export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** @returns undefined for a value that is not a record: a state or a file may hold anything */
function readKept(value: unknown): Kept | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { apiUrl, host, username, daemon, digest, expiresAt } = value as Readonly<Record<string, unknown>>;
  const url = secureUrl(apiUrl);
  const fits = (text: unknown, form: RegExp): text is string => typeof text === 'string' && form.test(text);
  if (url === undefined || typeof expiresAt !== 'number') return undefined;
  if (!isHost(host) || !fits(username, /^[\w.-]+$/)) return undefined;
  if (!fits(daemon, /^git\d{1,4}$/) || !fits(digest, /^[\da-f]{64}$/)) return undefined;
  return { apiUrl: url, host, username, daemon, digest, expiresAt };
}

/**
 * Reads the records of a job that was killed, whose state is lost. Somebody else may have written to the file and named
 * another address, so a token is sent only to the API of its own host.
 */
export async function readNote(
  { tokens }: Pick<JobFolder, 'tokens'>,
  workflow: Pick<Workflow, 'warn'>,
): Promise<Kept[]> {
  const text = await readOwnFile(tokens);
  const records = text.split('\n').flatMap((line) => readKept(parseJson(line)) ?? []);
  return records.filter(({ apiUrl, host }) => {
    const api = hostOfApi(apiUrl) ?? new URL(apiUrl).hostname;
    const { hostname } = new URL(`https://${host}`);
    if (hostname === api || [hostname, api].every(isLocal)) return true;
    workflow.warn(
      `the token for ${host} of an earlier job was not revoked, and expires by itself: its API is said to be at ${api}`,
    );
    return false;
  });
}

export function renderKept(kept: Kept): string {
  return `${JSON.stringify(kept)}\n`;
}

/** @returns undefined for a line that was cut */
function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Milliseconds for all tokens together. A token that is not revoked by then expires by itself. */
const patience = 15_000;

interface Ending {
  readonly env: Env;
  readonly workflow: Pick<Workflow, 'info' | 'warn'>;
  readonly signal?: AbortSignal | undefined;
}

interface Keeping {
  readonly folder: Pick<JobFolder, 'socket'>;
  /** As they were saved. */
  readonly tokens: readonly unknown[];
}

/** Ends every daemon, even if its token cannot be revoked: the runner may have emptied the folder. */
export async function endTokens(uses: readonly Keeping[], { signal, ...ending }: Ending): Promise<void> {
  const limit = anySignal(AbortSignal.timeout(patience), ...(signal ? [signal] : []));
  const kept = uses.flatMap(({ folder, tokens }) =>
    tokens.flatMap((token) => {
      const record = readKept(token);
      return record ? [{ ...record, socket: join(dirname(folder.socket), record.daemon) }] : [];
    }),
  );
  await inLanes(kept, (one) => endToken(one, { ...ending, signal: limit }));
  await endCaches(uses.map(({ folder }) => dirname(folder.socket)));
}

async function endToken(
  { socket, ...kept }: Kept & { readonly socket: string },
  { env, workflow, signal }: Ending & { readonly signal: AbortSignal },
): Promise<void> {
  const { apiUrl, host, digest, expiresAt } = kept;
  const sleep = (milliseconds: number): Promise<void> => setTimeout(milliseconds, undefined, { signal });
  const token = await readCredential(socket, kept, { signal });
  await endCache(socket, { signal });
  if (token === undefined || digestOf(token) !== digest) {
    if (Date.now() / 1000 > expiresAt) return;
    workflow.warn(
      `the token for ${host} was not found where it was kept: it was not revoked, and expires by itself`,
    );
    return;
  }
  try {
    await revokeToken(token, apiUrl, { env, signal, sleep, maxAttempts: 3 });
    workflow.info(`the token for ${host} is revoked`);
  } catch (error) {
    workflow.warn(
      `the token for ${host} was not revoked, and expires by itself: ${toFailure(error).message}`,
    );
  }
}
