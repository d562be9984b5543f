/** Creates a token of a GitHub App's installation: valid for an hour, with as few permissions as possible. */
import { Failure } from '../errors.ts';
import type { HttpAnswer } from '../http-request.ts';
import { callApi, longestAnswer, movedHint, readObject, saidBy, type ApiOptions, type Call } from './api.ts';
import { appToken, type GitHubApp, type SignInKms } from './app.ts';

export interface InstallationToken {
  readonly username: 'x-access-token';
  /** Secret. */
  readonly password: string;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

export interface TokenOptions extends ApiOptions {
  /**
   * The repositories for the token: a list of `owner/name` of one owner; or only `owner` for all that the App can
   * access there.
   */
  readonly repositories: readonly string[];
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Called once, for an App whose key is in KMS. */
  readonly signInKms: SignInKms;
}

/**
 * The permission for clone and push. An App with read access gets a token with read access. Without this, GitHub gives
 * the token all permissions of the App, which may include settings and secrets.
 */
const writing = { contents: 'write' };
const reading = { contents: 'read' };

/** @throws CREDENTIAL_INVALID, PROVIDER_FAILED, NETWORK_UNREACHABLE, TIMEOUT */
export async function installationToken(app: GitHubApp, given: TokenOptions): Promise<InstallationToken> {
  const options = { ...given, repositories: given.repositories.map(withoutWiki) };
  // It is valid for longer than all calls take, and a signature of KMS costs time.
  let signing: Promise<string> | undefined;
  const call: Ask = async (method, path, body) => {
    signing ??= appToken(app, options.clock() / 1000, options.signInKms);
    const bearer = await signing;
    const maxBytes = longestAnswer[method === 'POST' ? 'token' : 'usual'];
    return await callApi({ method, apiUrl: app.apiUrl, path, bearer, body, maxBytes }, options);
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

/** To the API, `owner/name.wiki` is no repository: the token of its repository serves the wiki. */
function withoutWiki(repository: string): string {
  return repository.replace(/(\/.+)\.wiki$/, '$1');
}

type Ask = (method: Call['method'], path: string, body?: unknown) => Promise<HttpAnswer>;

const hasOwner = (one: string): boolean => one.includes('/');
const ownerIn = (one: string): string => one.replace(/\/.*$/, '').toLowerCase();
const bare = (one: string): string => one.slice(one.lastIndexOf('/') + 1);

/** What the App's own list has for the owner of the wanted ones: a name without an owner is for every owner. */
function listedFor({ repositories = [] }: GitHubApp, wanted: readonly string[]): readonly string[] {
  // An installation has one owner.
  const first = wanted[0] ?? repositories.find(hasOwner);
  if (first === undefined) return repositories;
  return repositories.filter((one) => !hasOwner(one) || ownerIn(one) === ownerIn(first));
}

/** Names without the owner, as the API needs them. Empty: all that the App can access. */
function namesFor(app: GitHubApp, wanted: readonly string[]): string[] {
  const { repositories: named, resource } = app;
  const asked = wanted.filter(hasOwner);
  if (!named) return [...new Set(asked.map(bare))];
  const listed = listedFor(app, wanted);
  const known = new Set(listed.map((one) => bare(one).toLowerCase()));
  // An empty list must not become a token for all.
  const missing = listed.length === 0 ? wanted[0] : asked.find((one) => !known.has(bare(one).toLowerCase()));
  if (missing === undefined) return [...new Set(listed.map(bare))];
  const entry = JSON.stringify(named.some(hasOwner) ? missing : bare(missing));
  throw new Failure(
    'CREDENTIAL_INVALID',
    `${resource} is not for ${missing}: its "repositories" do not contain it`,
    {
      hint: `add ${hasOwner(missing) ? entry : `repositories of ${missing}`} to "repositories" there, or remove "repositories"`,
    },
  );
}

/**
 * @source GitHub Docs, REST API endpoints for GitHub Apps, "Get a repository installation for the authenticated app" and
 * its siblings for organizations and users
 */
async function findInstallation(app: GitHubApp, options: TokenOptions, call: Ask): Promise<string> {
  const known = [...options.repositories, ...listedFor(app, options.repositories)];
  const wanted = known.find(hasOwner) ?? options.repositories[0];
  if (wanted === undefined) {
    throw new Failure(
      'CREDENTIAL_INVALID',
      `${app.resource} has no "installation_id", and no repository tells which installation to use`,
      { hint: 'store "installation_id": the number at the end of the installation page’s address' },
    );
  }
  const path = wanted.split('/').map(encodeURIComponent).join('/');
  const look = (place: string): Promise<HttpAnswer> => call('GET', `/${place}/${path}/installation`);
  let answer = await look(wanted.includes('/') ? 'repos' : 'orgs');
  if (answer.status === 404 && !wanted.includes('/')) answer = await look('users');
  if (answer.status === 200) return readInstallation(answer, app);
  throw refused(answer, { ...options, app, doing: `looked for its installation for ${wanted}`, wanted });
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

/** GitHub's refusal of an App, with its answer. */
interface Refused {
  readonly app: GitHubApp;
  /** `looked for …`, `asked for …`. */
  readonly doing: string;
  /** The owner or repository in the address of the call. */
  readonly wanted?: string;
  readonly clock: () => number;
}

function refused(answer: HttpAnswer, what: Refused): Failure {
  const { app, doing } = what;
  const { host } = new URL(app.apiUrl);
  const message = `the GitHub App in ${app.resource} ${doing}, and ${host} answered ${saidBy(answer)}`;
  return new Failure('PROVIDER_FAILED', message, { hint: hintFor(answer, what) });
}

function hintFor(answer: HttpAnswer, { app, wanted = '', clock }: Refused): string {
  const { status = 0, headers } = answer;
  const theirs = Date.parse(headers.date ?? '');
  const off = Math.round((clock() - theirs) / 1000);
  if (status >= 300 && status < 400) {
    return hasOwner(wanted) ? movedHint(wanted, app.apiUrl) : `check that ${app.apiUrl} is GitHub's API`;
  }
  if (status === 401 && Math.abs(off) > 30) {
    return `set the clock of this machine: it is ${Math.abs(off)} seconds ${off > 0 ? 'ahead' : 'behind'}`;
  }
  if (status === 401 || /Integration not found/.test(saidBy(answer))) {
    return `check that the id and "private_key" in ${app.resource} are of the same App, and that the key was not deleted there`;
  }
  if (status === 403 && headers['x-ratelimit-remaining'] !== '0' && headers['retry-after'] === undefined) {
    return 'check whether the installation of the App is suspended, or its owner only allows some IP addresses';
  }
  if (status === 403 || status === 429) return 'run it again later: GitHub limits the rate of calls';
  if (status === 404) {
    return app.installationId === undefined
      ? 'install the App there (Install App on its page), with access to that repository; if the repository was renamed, use its new name'
      : `check "installation_id" and "api_url" in ${app.resource}: the App has no such installation there`;
  }
  if (status === 422) {
    return 'give the installation of the App access to these repositories, and give the App the permission "Contents" (or those in "permissions"), which the owner has to accept';
  }
  return 'run it again later; if it persists, see https://www.githubstatus.com';
}

function notFromGitHub({ apiUrl }: GitHubApp): Failure {
  return new Failure('PROVIDER_FAILED', `the server at ${apiUrl} is not GitHub's API`, {
    hint: 'check "api_url" (https://HOST/api/v3 for a GitHub Enterprise Server) and the proxy of this machine',
  });
}
