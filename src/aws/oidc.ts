/** The job's own identity: GitHub's OIDC token, as the runner hands it out. */
import { Failure } from '../errors.ts';
import { sendRequest, type HttpAnswer } from '../http-request.ts';

/** What the runner puts into the environment of a job that may ask for tokens. */
export interface TokenService {
  readonly url: string;
  /** Secret. */
  readonly bearer: string;
}

/** @source GitHub Docs, "OpenID Connect reference", "Methods for requesting the OIDC token" */
export function tokenService(env: Readonly<Record<string, string | undefined>>): TokenService | undefined {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
  return url && bearer ? { url, bearer } : undefined;
}

export interface TokenRequestOptions {
  readonly audience: string;
  readonly maxAttempts: number;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export interface Token {
  /** A JSON Web Token. Secret. */
  readonly text: string;
  readonly claims: Claims;
}

/** The claims that a role's trust policy is matched on. The token itself stays secret; these are printed. */
export interface Claims {
  readonly sub: string;
  readonly aud: string;
  readonly iss: string;
}

/** @throws OIDC_REQUEST_FAILED */
export async function requestToken(service: TokenService, options: TokenRequestOptions): Promise<Token> {
  const { audience, maxAttempts, sleep, signal } = options;
  if (!URL.canParse(service.url)) {
    throw failed('ACTIONS_ID_TOKEN_REQUEST_URL is no URL', 'the runner sets it; nothing else should');
  }
  const url = new URL(service.url);
  url.searchParams.set('audience', audience);
  const headers = { authorization: `bearer ${service.bearer}`, accept: 'application/json' };
  for (let attempt = 1; ; attempt++) {
    const answer = await sendRequest({ url, headers }, options);
    signal.throwIfAborted();
    if (answer.status === 200) return readToken(answer.text);
    const passing = answer.status === undefined || answer.status >= 500 || answer.status === 429;
    if (!passing || attempt >= maxAttempts) throw refused(url, answer, attempt);
    await sleep(100 * 2 ** attempt);
  }
}

function readToken(answer: string): Token {
  try {
    const { value: text } = JSON.parse(answer) as { value: string };
    const claims = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as Claims;
    if (typeof claims.iss !== 'string') throw new TypeError('a token names its issuer');
    return { text, claims };
  } catch {
    const hint =
      'something else answered in its place: check the proxy of the runner (HTTPS_PROXY, NO_PROXY)';
    throw failed("GitHub's token service answered with something that is no token", hint);
  }
}

function refused(url: URL, { status, text }: HttpAnswer, attempts: number): Failure {
  const what = status === undefined ? `did not answer (${text})` : `answered ${status}`;
  const times = attempts === 1 ? '' : `, tried ${attempts} times`;
  const hint =
    status === undefined || status === 407
      ? `check that the runner reaches ${url.origin}, by its proxy (HTTPS_PROXY, NO_PROXY) where it has one`
      : 'run the job again; if it persists, see https://www.githubstatus.com';
  return failed(`GitHub's token service at ${url.host} ${what}${times}`, hint);
}

function failed(what: string, hint: string): Failure {
  return new Failure('OIDC_REQUEST_FAILED', what, { hint });
}
