/** git's credential-cache: a daemon that holds one credential in memory, on a socket of ours. */
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import { endProcesses } from '../process/process-table.ts';
import { quoteForShell } from '../process/quote.ts';
import { run, type Finished } from '../process/run.ts';
import { notFound } from './config-file.ts';
import { helpersFor, type HttpsPlace } from './credential-settings.ts';
import { parseRequest, renderCredential, type Credential } from './credential.ts';
import type { Entry } from './job-configuration.ts';
import type { ScopedSetting } from './listing.ts';

export interface CacheOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Host and user name of a credential. */
export interface Place {
  /** With the port, if it is not the default. */
  readonly host: string;
  readonly username: string;
}

export interface Cached extends Place {
  /** Secret. */
  readonly password: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** Seconds from now. */
  readonly timeout: number;
}

/**
 * Sends the credential through a pipe. It is stored without a path, because git's configuration section has the path
 * already, and git would otherwise ask for each path separately.
 *
 * @throws GIT_NOT_FOUND
 */
export async function storeCredential(socket: string, cached: Cached, options: CacheOptions): Promise<void> {
  const { password, expiresAt, timeout } = cached;
  const credential = { ...asked(cached), password, password_expiry_utc: String(expiresAt) };
  const command = [`--timeout=${timeout}`, `--socket=${socket}`, 'store'];
  const { stderr } = await credentialCache(command, credential, options);
  // The exit code is always 0, so read the credential back.
  if ((await readCredential(socket, cached, options)) === password) return;
  const said = stderr.trim().replace(/\s+/g, ' ').slice(0, 300) || 'nothing';
  throw new Failure('GIT_NOT_FOUND', `git's credential-cache does not keep the token (it said ${said})`, {
    hint: 'as=github-app needs git-credential-cache: install git from the packages of the distribution',
  });
}

/**
 * Does not start git, because a later step may have put another program with that name on PATH.
 *
 * @returns secret; undefined if the daemon has none or is not running
 * @source git's builtin/credential-cache.c, send_request; credential-cache--daemon.c, read_request
 */
export async function readCredential(
  socket: string,
  place: Place,
  { signal }: Pick<CacheOptions, 'signal'>,
): Promise<string | undefined> {
  const question = `action=get\ntimeout=0\n${renderCredential(asked(place), 'the token')}`;
  const answer = await exchange(socket, question, { signal });
  return answer && parseRequest(answer)?.password;
}

/** Works even if the daemon's process is not visible. */
export async function endCache(socket: string, { signal }: Pick<CacheOptions, 'signal'>): Promise<void> {
  await exchange(socket, 'action=exit\ntimeout=0\n', { signal });
}

function asked({ host, username }: Place): Credential {
  return { protocol: 'https', host, username };
}

/** The daemon outlives the step, and other processes of the user can read its environment. */
async function credentialCache(
  command: readonly string[],
  credential: Credential,
  { env, signal }: CacheOptions,
): Promise<Finished> {
  // RUNNER_TRACKING_ID lets the runner end the daemon if everything else fails.
  const names = ['PATH', 'HOME', 'RUNNER_TRACKING_ID'];
  const kept = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  const input = renderCredential(credential, 'the token');
  const within = { env: Object.fromEntries(kept) as Record<string, string>, cwd: '/', input, signal };
  return await run(['git', 'credential-cache', ...command], within).catch(notFound);
}

/**
 * git's configuration that connects a URL to the daemon. Other helpers are cleared for this URL: otherwise the first
 * one that knows the host would answer, and git would give them the credential to store. The header of actions/checkout
 * is cleared, too, because the host would use it instead. The path is sent to the helper, because git-lfs leaves it out
 * of its question otherwise, and then git finds no section for it.
 *
 * @source gitcredentials(7), git-config(1) on credential.helper, http.extraHeader: an empty value clears the list
 */
export function cacheEntries(url: string, socket: string, place: Place): Entry[] {
  return [
    [`credential.${url}.helper`, ''],
    [`credential.${url}.helper`, helperFor(socket, place)],
    [`credential.${url}.useHttpPath`, 'true'],
    [`credential.${url}.username`, place.username],
    [`http.${url}.extraHeader`, ''],
  ];
}

/**
 * The daemon compares texts: it is asked for the one credential that it has, however the URL writes host and user, and for
 * every path. In other locales sed may refuse what a server says in its own. The daemon keeps the credential also if a host refuses it once, because post revokes it.
 */
function helperFor(socket: string, { host }: Place): string {
  const asked = `LC_ALL=C sed -e '/^path=/d;/^username=/d;s/^host=.*/host=${host}/'`;
  return `!f() { test "$1" != get || ${asked} | git credential-cache --socket=${quoteForShell(socket)} get; }; f`;
}

const ofJob =
  /^!f\(\) \{ test "\$1" != get \|\| LC_ALL=C sed -e '\/\^path=\/d;\/\^username=\/d;s\/\^host=\.\*\/host=[\w.:[\]-]+\/' \| git credential-cache --socket=('?)(\/[^'"`$;&|<>()\\\n]*\/ssm-ssh-agent-[0-9a-f]{8})\/git\d+\1 get; \}; f$/;

/** @returns the folder of the daemon, if cacheEntries made the helper */
export function jobOfCache(helper: string): string | undefined {
  return ofJob.exec(helper)?.[2];
}

/** The helper that the action sets for a URL. The environment has it: a repository could name another program. */
export function jobHelper(place: HttpsPlace, entries: readonly ScopedSetting[]): string | undefined {
  const given = entries.filter(({ scope }) => scope === 'command');
  return helpersFor(place, given).find((helper) => jobOfCache(helper) !== undefined);
}

/**
 * The helpers of earlier uses of the action for repositories of an owner whom a later use names. git asks the last section
 * that fits, so they are written again behind the owner's. The owner's helper follows, for a token that has ended.
 */
export function earlierHelpers(there: readonly Entry[], added: readonly Entry[]): Entry[] {
  const later = helpersOf(added);
  return [...helpersOf(there)].flatMap(([url, helper]) => {
    const owners = [...later].filter(([owner]) => url.startsWith(`${owner}/`)).map(([, theirs]) => theirs);
    if (owners.length === 0 || later.has(url)) return [];
    const name = `credential.${url}.helper`;
    return ['', helper, ...owners].map((value): Entry => [name, value]);
  });
}

/** The last helper of a job for each URL. */
function helpersOf(entries: readonly Entry[]): Map<string, string> {
  return new Map(
    entries.flatMap(([name, value]): Entry[] => {
      const url = /^credential\.(https:.+)\.helper$/.exec(name)?.[1];
      return url !== undefined && jobOfCache(value) !== undefined ? [[url, value]] : [];
    }),
  );
}

/** Ends the daemons with sockets in the folders. */
export async function endCaches(folders: readonly string[]): Promise<void> {
  await endProcesses(({ command }) => {
    const socket = socketOf(command);
    return socket !== undefined && folders.includes(dirname(socket));
  });
}

function socketOf(command: string): string | undefined {
  return /credential-cache--daemon (\/.*\/git\d+)$/.exec(command)?.[1];
}

/** Bytes; longer than any answer of the daemon. */
const longestAnswer = 65_536;

/**
 * Sends one question to the daemon and reads the answer until the daemon closes the connection.
 *
 * @returns undefined if nobody listens; empty if the answer is not complete in time, or too long
 */
async function exchange(
  socket: string,
  question: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<Buffer | undefined> {
  if (signal.aborted) return Buffer.alloc(0);
  return await new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const connection = connect({ path: socket, allowHalfOpen: true });
    const end = (result: Buffer | undefined): void => {
      signal.removeEventListener('abort', giveUp);
      connection.destroy();
      resolve(result);
    };
    const giveUp = (): void => {
      end(Buffer.alloc(0));
    };
    signal.addEventListener('abort', giveUp);
    connection
      .on('error', () => {
        end(undefined);
      })
      .on('data', (chunk) => {
        answer = Buffer.concat([answer, chunk]);
        if (answer.length > longestAnswer) giveUp();
      })
      .on('end', () => {
        end(answer);
      });
    connection.end(question);
  });
}
