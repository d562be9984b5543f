/** A token for what a GitHub App may do in one installation: made on the spot, for an hour, as narrow as it can be. */
import { Failure } from '../errors.ts';
import type { HttpAnswer } from '../http-request.ts';
import { callApi, longestAnswer, readObject, saidBy, type ApiOptions, type Call } from './api.ts';
import type { GitHubApp } from './app.ts';
import { appToken } from './jwt.ts';
import { notFromGitHub, refused } from './refusals.ts';

export interface InstallationToken {
  readonly username: 'x-access-token';
  /** Secret. */
  readonly password: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

export interface TokenOptions extends ApiOptions {
  /** What the token is for: `owner/name` each, all of one owner; `owner` alone for whatever the App sees there. */
  readonly repositories: readonly string[];
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/**
 * What clone and push need, and no more; an App that may only read gives a token that may only read. Without this GitHub
 * would give the token all that the App may do, which can be settings and secrets.
 */
const writing = { contents: 'write' };
const reading = { contents: 'read' };

/** @throws CREDENTIAL_INVALID, PROVIDER_FAILED, NETWORK_UNREACHABLE, TIMEOUT */
export async function installationToken(app: GitHubApp, options: TokenOptions): Promise<InstallationToken> {
  const call: Ask = (method, path, body) => {
    const bearer = appToken(app, options.clock() / 1000);
    const maxBytes = longestAnswer[method === 'POST' ? 'token' : 'usual'];
    return callApi({ method, apiUrl: app.apiUrl, path, bearer, body, maxBytes }, options);
  };
  const names = namesFor(app, options.repositories);
  const installation = app.installationId ?? (await findInstallation(app, options, call));
  const create = (permissions: Readonly<Record<string, string>>): Promise<HttpAnswer> =>
    call('POST', `/app/installations/${installation}/access_tokens`, {
      ...(names.length > 0 && { repositories: names }),
      permissions,
    });
  let answer = await create(app.permissions ?? writing);
  if (!app.permissions && answer.status === 422 && /permission/i.test(saidBy(answer))) {
    answer = await create(reading);
  }
  if (answer.status !== 201) {
    const what = names.length > 0 ? names.join(', ') : 'its whole installation';
    throw refused(answer, { ...options, app, doing: `asked for a token for ${what}` });
  }
  return readToken(answer, app);
}

type Ask = (method: Call['method'], path: string, body?: unknown) => Promise<HttpAnswer>;

/** Without their owner, as the API takes them. Empty: all that the App sees. */
function namesFor({ repositories: named, resource }: GitHubApp, wanted: readonly string[]): string[] {
  const bare = (one: string): string => one.slice(one.lastIndexOf('/') + 1);
  const asked = wanted.filter((one) => one.includes('/'));
  if (!named) return [...new Set(asked.map(bare))];
  const known = new Set(named.map((one) => bare(one).toLowerCase()));
  const missing = asked.find((one) => !known.has(bare(one).toLowerCase()));
  if (missing === undefined) return [...new Set(named.map(bare))];
  throw new Failure(
    'CREDENTIAL_INVALID',
    `${resource} is not for ${missing}: its "repositories" leave it out`,
    {
      hint: `add ${JSON.stringify(bare(missing))} to "repositories" there, or leave "repositories" out`,
    },
  );
}

/**
 * @source GitHub Docs, REST API endpoints for GitHub Apps, "Get a repository installation for the authenticated app" and
 * its siblings for organizations and users
 */
async function findInstallation(app: GitHubApp, options: TokenOptions, call: Ask): Promise<string> {
  const known = [...options.repositories, ...(app.repositories ?? [])];
  const wanted = known.find((one) => one.includes('/')) ?? options.repositories[0];
  if (wanted === undefined) {
    throw new Failure(
      'CREDENTIAL_INVALID',
      `${app.resource} has no "installation_id", and no repository tells whose installation it is`,
      { hint: 'store "installation_id", the number at the end of the address of the installation’s page' },
    );
  }
  const path = wanted.split('/').map(encodeURIComponent).join('/');
  const look = (place: string): Promise<HttpAnswer> => call('GET', `/${place}/${path}/installation`);
  let answer = await look(wanted.includes('/') ? 'repos' : 'orgs');
  if (answer.status === 404 && !wanted.includes('/')) answer = await look('users');
  if (answer.status === 200) return readInstallation(answer, app);
  throw refused(answer, { ...options, app, doing: `looked for its installation for ${wanted}` });
}

function readInstallation(answer: HttpAnswer, app: GitHubApp): string {
  const { id } = readObject(answer.text);
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id);
  throw notFromGitHub(app);
}

function readToken(answer: HttpAnswer, app: GitHubApp): InstallationToken {
  const { token, expires_at: expires } = readObject(answer.text);
  const expiresAt = typeof expires === 'string' ? Math.floor(Date.parse(expires) / 1000) : NaN;
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || !(expiresAt > 0)) {
    throw notFromGitHub(app);
  }
  return { username: 'x-access-token', password: token, expiresAt };
}
