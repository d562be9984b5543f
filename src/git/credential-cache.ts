/** git's own credential-cache: a daemon that holds one credential in its memory, behind a socket of ours. */
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import { endProcesses } from '../process/process-table.ts';
import { quoteForShell } from '../process/quote.ts';
import { run, type Finished } from '../process/run.ts';
import { notFound } from './config-file.ts';
import { parseRequest, renderCredential, type Credential } from './credential.ts';
import type { Entry } from './job-configuration.ts';

export interface CacheOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** What a credential is for. */
export interface Place {
  /** With the port, where there is one. */
  readonly host: string;
  readonly username: string;
}

export interface Cached extends Place {
  /** Secret. */
  readonly password: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** Seconds until then. */
  readonly timeout: number;
}

/**
 * The credential goes through one pipe. It is kept without a path, since the section of git's configuration that leads
 * to it has one: git would ask for each path by itself.
 *
 * @throws GIT_NOT_FOUND
 */
export async function storeCredential(socket: string, cached: Cached, options: CacheOptions): Promise<void> {
  const { password, expiresAt, timeout } = cached;
  const credential = { ...asked(cached), password, password_expiry_utc: String(expiresAt) };
  const command = [`--timeout=${timeout}`, `--socket=${socket}`, 'store'];
  const { stderr } = await credentialCache(command, credential, options);
  // Its exit code is 0 whatever happens.
  if ((await readCredential(socket, cached, options)) === password) return;
  const said = stderr.trim().replace(/\s+/g, ' ').slice(0, 300) || 'nothing';
  throw new Failure('GIT_NOT_FOUND', `git's credential-cache does not keep the token (it said ${said})`, {
    hint: 'as=github-app needs a git that has git-credential-cache: install that of the distribution',
  });
}

/**
 * Without git, whose place on PATH a later step may have given to something else.
 *
 * @returns secret; undefined where the daemon has none, or is not there
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

/** Where its process cannot be seen, too. */
export async function endCache(socket: string, { signal }: Pick<CacheOptions, 'signal'>): Promise<void> {
  await exchange(socket, 'action=exit\ntimeout=0\n', { signal });
}

function asked({ host, username }: Place): Credential {
  return { protocol: 'https', host, username };
}

/** The daemon outlives the step, and would show the step's environment to every process of the user for as long. */
async function credentialCache(
  command: readonly string[],
  credential: Credential,
  { env, signal }: CacheOptions,
): Promise<Finished> {
  // By RUNNER_TRACKING_ID the runner finds the daemon, should all else fail.
  const names = ['PATH', 'HOME', 'RUNNER_TRACKING_ID'];
  const kept = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  const input = renderCredential(credential, 'the token');
  const within = { env: Object.fromEntries(kept) as Record<string, string>, cwd: '/', input, signal };
  return await run(['git', 'credential-cache', ...command], within).catch(notFound);
}

/**
 * What leads git from a URL to the daemon. The helpers that are configured already are left out for it: the first one
 * that knows the host would answer instead, and git hands each one whatever credential has worked, to be stored. The
 * header that actions/checkout leaves in its repository would be sent as well, and the host goes by that.
 *
 * @source gitcredentials(7), git-config(1) on credential.helper, http.extraHeader: an empty value clears the list
 */
export function cacheEntries(url: string, socket: string, { username, timeout }: Cached): Entry[] {
  return [
    [`credential.${url}.helper`, ''],
    [`credential.${url}.helper`, `cache --timeout=${timeout} --socket=${quoteForShell(socket)}`],
    [`credential.${url}.useHttpPath`, 'false'],
    [`credential.${url}.username`, username],
    [`http.${url}.extraHeader`, ''],
  ];
}

/** Ends the daemons whose sockets are in the folders. */
export async function endCaches(folders: readonly string[]): Promise<void> {
  await endProcesses(({ command }) => {
    const socket = socketOf(command);
    return socket !== undefined && folders.includes(dirname(socket));
  });
}

function socketOf(command: string): string | undefined {
  return /credential-cache--daemon (\/.*\/git\d+)$/.exec(command)?.[1];
}

/** Bytes: more than the daemon says. */
const longestAnswer = 65_536;

/**
 * One question to the daemon, and its answer: what comes before it closes.
 *
 * @returns undefined where nobody listens; empty where the answer does not come before the signal, or has no end
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
