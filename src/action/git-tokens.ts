/** `as=github-app`: tokens that git sends by HTTPS. A git credential-cache daemon keeps each until post revokes it. */
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Failure, toFailure } from '../errors.ts';
import { cacheEntries, storeCredential, type Cached } from '../git/credential-cache.ts';
import type { Entry } from '../git/job-configuration.ts';
import { hostOfApi } from '../github/api-url.ts';
import { parseGitHubApp, type GitHubApp } from '../github/app.ts';
import { jobAppSigner } from '../host/app-signer.ts';
import type { FrontWanted } from '../host/front-order.ts';
import { installationToken, type InstallationToken } from '../github/installation-token.ts';
import { revokeToken } from '../github/api.ts';
import { scopeUrls, tokenScopes, type AppLine, type TokenScope } from '../keys/app-line.ts';
import type { Secret } from '../secrets/source.ts';
import type { Env } from './input.ts';
import type { JobFolder } from './job-folder.ts';
import { missingIn } from './job-secrets.ts';
import { digestOf, type Kept, type TokenRecord } from './kept-tokens.ts';
import { timeOfDay } from './summary.ts';
import type { Workflow } from './workflow.ts';
import { linesToMask } from '../keys/private-key.ts';
import type { Voice } from '../host/voice.ts';
import { stored, warnOfPlainText } from '../host/open-key.ts';

export interface GitToken {
  readonly secret: Secret;
  /** `github.com/acme/lib` and the like. */
  readonly repositories: readonly string[];
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** The git configuration that makes git use the token. */
  readonly entries: readonly Entry[];
}

export interface TokenJob {
  readonly env: Env;
  readonly workflow: Workflow;
  readonly signal: AbortSignal;
  readonly folder: JobFolder;
  /** How AWS is called, for a key in KMS. */
  readonly wanted: FrontWanted;
  readonly record: TokenRecord;
}

/** One after the other. A token is recorded before it is stored, and revoked at once if it cannot be stored. */
export async function makeTokens(
  lines: readonly AppLine[],
  secrets: readonly Secret[],
  job: TokenJob,
): Promise<GitToken[]> {
  const scopes = lines.flatMap((line) => {
    const stored = openApp(line, secrets, job.workflow);
    return tokenScopes(line).map((scope) => ({ ...stored, scope }));
  });
  for (const { app, scope } of scopes) requireHost(app, scope);
  const tokens: GitToken[] = [];
  for (const [number, scope] of scopes.entries()) tokens.push(await makeToken(scope, number, job));
  return tokens;
}

interface StoredApp {
  readonly app: GitHubApp;
  readonly secret: Secret;
}

/**
 * Masks the stored value before it is used.
 *
 * @throws CREDENTIAL_INVALID
 */
function openApp(
  { reference }: AppLine,
  secrets: readonly Secret[],
  voice: Pick<Voice, 'mask' | 'warn'>,
): StoredApp {
  const secret = stored(reference, secrets);
  voice.mask(...linesToMask(secret.text));
  const app = parseGitHubApp(secret.text, reference.text);
  warnOfPlainText(secret, voice);
  return { app, secret };
}

/** @throws CREDENTIAL_INVALID */
function requireHost({ apiUrl, resource }: GitHubApp, { host }: TokenScope): void {
  const expected = hostOfApi(apiUrl);
  if (expected === undefined || expected === host) return;
  throw new Failure(
    'CREDENTIAL_INVALID',
    `the GitHub App in ${resource} is ${expected}'s, and keys names it for ${host}`,
    { hint: `store "api_url": "https://${host}/api/v3" with an App of that server, or name ${expected}` },
  );
}

async function makeToken(
  { app, secret, scope }: StoredApp & { scope: TokenScope },
  number: number,
  job: TokenJob,
): Promise<GitToken> {
  const { env, signal, workflow, folder, record } = job;
  const { maxAttempts } = job.wanted;
  const sleep = (milliseconds: number): Promise<void> => setTimeout(milliseconds, undefined, { signal });
  const asking = { env, signal, maxAttempts, sleep, clock: Date.now };
  const signInKms = jobAppSigner(job.wanted, { env, signal, voice: workflow, missing: missingIn(env) });
  const token = await installationToken(app, { ...asking, signInKms, repositories: scope.paths });
  workflow.mask(...maskedForms(token));
  const { password, username, expiresAt } = token;
  const host = scope.port === undefined ? scope.host : `${scope.host}:${scope.port}`;
  const timeout = Math.max(1, expiresAt - Math.floor(Date.now() / 1000));
  const cached: Cached = { host, username, password, expiresAt, timeout };
  const daemon = `git${number}`;
  const socket = join(dirname(folder.socket), daemon);
  const kept: Kept = { apiUrl: app.apiUrl, host, username, daemon, digest: digestOf(password), expiresAt };
  try {
    await record.add(kept);
    await storeCredential(socket, cached, job);
  } catch (error) {
    const revoking = { ...asking, signal: AbortSignal.timeout(10_000), maxAttempts: 1 };
    await revokeToken(password, app.apiUrl, revoking).catch((cause: unknown) => {
      workflow.warn(
        `the token for ${host} was not revoked, and expires by itself: ${toFailure(cause).message}`,
      );
    });
    record.drop(kept);
    throw error;
  }
  const repositories = scope.paths.map((path) => `${host}/${path}`);
  const { reference, version } = secret;
  workflow.info(
    `${reference.text} (version ${version}): a token for ${repositories.join(', ')}, until ${timeOfDay(expiresAt)}; a job that lasts longer uses the action again`,
  );
  const entries = scopeUrls(scope).flatMap((url) => cacheEntries(url, socket, cached));
  return { secret, repositories, expiresAt, entries };
}

/** The token, and its form in a header: GIT_TRACE_CURL shows that if GIT_TRACE_REDACT=0 is set. */
function maskedForms({ username, password }: InstallationToken): string[] {
  return [password, Buffer.from(`${username}:${password}`).toString('base64')];
}
