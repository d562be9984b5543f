/** The job's own identity: GitHub's OIDC token, as the runner hands it out. */
import { request as requestHttp } from 'node:http';
import { Agent, request as requestHttps } from 'node:https';
import { Failure } from '../errors.ts';

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

/**
 * A JSON Web Token for the audience. Secret.
 *
 * @throws OIDC_REQUEST_FAILED
 */
export async function requestToken(service: TokenService, options: TokenRequestOptions): Promise<string> {
  const { audience, maxAttempts, sleep, signal } = options;
  const url = new URL(service.url);
  url.searchParams.set('audience', audience);
  for (let attempt = 1; ; attempt++) {
    const answer = await get(url, service.bearer, options);
    if (answer.status === 200) return tokenIn(answer.text);
    signal.throwIfAborted();
    const passing = answer.status === undefined || answer.status >= 500 || answer.status === 429;
    if (!passing || attempt >= maxAttempts) throw refused(url, answer, attempt);
    await sleep(100 * 2 ** attempt);
  }
}

/** The claims that a role's trust policy is matched on. The token itself stays secret; these are printed. */
export interface Claims {
  readonly sub: string;
  readonly aud: string;
  readonly iss: string;
}

export function claimsOf(token: string): Claims {
  const [, payload = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  return { sub: String(claims['sub']), aud: String(claims['aud']), iss: String(claims['iss']) };
}

interface Answer {
  /** Absent where no whole answer came. */
  readonly status?: number;
  readonly text: string;
}

/** Milliseconds for one try. */
const patience = 10_000;

async function get(url: URL, bearer: string, { signal, env }: TokenRequestOptions): Promise<Answer> {
  const headers = { authorization: `bearer ${bearer}`, accept: 'application/json' };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  const encrypted = url.protocol === 'https:';
  return await new Promise((resolve) => {
    const options = { headers, signal: limit, ...(encrypted && { agent: new Agent({ proxyEnv: env }) }) };
    const request = (encrypted ? requestHttps : requestHttp)(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', (error) => {
        resolve({ text: error.message });
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    request.on('error', (error) => {
      resolve({ text: limit.aborted ? 'no answer in time' : error.message });
    });
    request.end();
  });
}

function tokenIn(text: string): string {
  try {
    const { value } = JSON.parse(text) as { value?: unknown };
    if (typeof value === 'string' && value.split('.').length === 3) return value;
  } catch {
    // Told below: what is no JSON is no token either.
  }
  throw new Failure(
    'OIDC_REQUEST_FAILED',
    "GitHub's token service answered with something that is no token",
    {
      hint: 'something between the runner and GitHub may have answered instead: check the proxy of the runner',
    },
  );
}

function refused(url: URL, { status, text }: Answer, attempts: number): Failure {
  const what = status === undefined ? `did not answer (${text})` : `answered ${status}`;
  return new Failure(
    'OIDC_REQUEST_FAILED',
    `GitHub's token service at ${url.host} ${what}, tried ${attempts} times`,
    {
      hint: 'run the job again; if it persists, see https://www.githubstatus.com and the network of the runner',
    },
  );
}
