/** What assumes the first role: GitHub's OIDC token, the token in a file, or other credentials. */
import { backOff } from '../back-off.ts';
import { certificateHint, isCertificateTrouble } from '../certificate-trouble.ts';
import { Failure } from '../errors.ts';
import { sendRequest, type HttpAnswer } from '../http-request.ts';
import type { Caller, Credentials, Role } from './caller.ts';
import { audienceText, readToken, type Token } from './token.ts';
import { failed, tokenRequest, tokenService, type TokenService } from './token-request.ts';
import { readTokenFile } from './token-file.ts';
import type { Troubles } from './troubles.ts';

/** Neither: the credentials that the AWS SDK's default chain finds. */
export interface SourceCredentials {
  readonly token?: Token | undefined;
  /** The previous role in a chain. */
  readonly role?: { readonly arn: string; readonly credentials: Credentials };
}

/** @throws OIDC_UNAVAILABLE, OIDC_REQUEST_FAILED, CREDENTIALS_MISSING, INPUT_INVALID of a token file */
export async function sourceCredentials(role: Role, caller: Caller): Promise<SourceCredentials> {
  const { audience, tokenFile, skipsOidc = false } = role;
  const { env, connection, say, mask } = caller;
  if (tokenFile !== undefined) {
    say(`reading the token in ${tokenFile}`);
    const token = await readTokenFile(tokenFile);
    mask(token.text);
    caller.debug?.(described(token));
    return { token };
  }
  if (skipsOidc) {
    sayOthers('force-skip-oidc is set', role, caller);
    return {};
  }
  if (audience === undefined) return {};
  const service = tokenService(env);
  if (!service) {
    sayOthers('no OIDC token in this job', role, caller);
    return {};
  }
  say('asking GitHub for an OIDC token');
  const token = await requestToken(service, { ...caller, ...connection, audience });
  mask(token.text);
  caller.debug?.(described(token));
  return { token };
}

/** The claims that trust policies compare. */
function described({ claims }: Token): string {
  return `the token has iss ${claims.iss}, sub ${claims.sub} and aud ${audienceText(claims)}`;
}

/** @throws OIDC_UNAVAILABLE, CREDENTIALS_MISSING: there are none */
function sayOthers(why: string, { arn, through, skipsOidc }: Role, { env, say }: Caller): void {
  const others = otherCredentials(env);
  if (others === undefined) throw skipsOidc ? nothingElse() : noToken();
  say(`${why}: asking for ${through[0] ?? arn} with ${others}`);
}

/** What the default chain finds. On GitHub's own runners the role of the machine is not used: it is not the user's. */
function otherCredentials(env: Readonly<Record<string, string | undefined>>): string | undefined {
  // In the order of the SDK.
  const explicit = ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_WEB_IDENTITY_TOKEN_FILE', ...containerVariables];
  const name = explicit.find((variable) => env[variable]);
  if (name) return `the credentials of ${name}`;
  if (env['RUNNER_ENVIRONMENT'] === 'self-hosted') return "this machine's own role";
  return undefined;
}

function noToken(): Failure {
  const message = 'this job cannot ask GitHub for an OIDC token, and has no other credentials';
  return new Failure('OIDC_UNAVAILABLE', message, {
    hint: 'give the job "permissions: { id-token: write, contents: read }"; on pull_request from a fork there is no token',
  });
}

function nothingElse(): Failure {
  const message = 'force-skip-oidc is set, and the environment has no credentials to assume the role with';
  return new Failure('CREDENTIALS_MISSING', message, {
    hint: 'export credentials in a step before this one, write web-identity-token-file, or leave force-skip-oidc out',
  });
}

const containerVariables = ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'];

/** Whether nothing but the job's OIDC token can assume a role. */
export function hasTokenAlone(env: Readonly<Record<string, string | undefined>>): boolean {
  return (
    tokenService(env) !== undefined &&
    otherCredentials({ ...env, RUNNER_ENVIRONMENT: undefined }) === undefined
  );
}

export interface TokenRequestOptions {
  readonly audience: string;
  readonly maxAttempts: number;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Milliseconds for one try. */
  readonly patience: number;
  readonly troubles: Troubles;
  /** The answer to the first try, if it was begun before; once. */
  readonly early?: Caller['early'];
}

/** @throws OIDC_REQUEST_FAILED */
export async function requestToken(service: TokenService, options: TokenRequestOptions): Promise<Token> {
  const { audience, maxAttempts, sleep, signal, troubles } = options;
  const request = tokenRequest(service, audience);
  for (let attempt = 1; ; attempt++) {
    const early = attempt === 1 ? options.early?.() : undefined;
    const answer = await (early ?? sendRequest(request, options));
    signal.throwIfAborted();
    const token = answer.status === 200 ? tokenIn(answer.text) : undefined;
    troubles.note(name, token ? undefined : { what: `${name} ${saidBy(answer)}`, throttled: false });
    if (token) return token;
    // With 200, the answer is not from GitHub.
    if (!mayPass(answer) || attempt >= maxAttempts) throw refused(request.url, answer, attempt);
    await sleep(backOff(waits, attempt));
  }
}

const name = "GitHub's token service";
/** Milliseconds between two tries. */
const waits = { first: 200, longest: 5_000 };

function mayPass({ status, code = '' }: HttpAnswer): boolean {
  if (status === undefined) return !isCertificateTrouble(code);
  return status < 400 || status >= 500 || status === 429;
}

/** @returns undefined for an answer without a token */
function tokenIn(answer: string): Token | undefined {
  try {
    return readToken((JSON.parse(answer) as { value: string }).value);
  } catch {
    return undefined;
  }
}

function saidBy({ status, text, headers }: HttpAnswer): string {
  if (status === undefined) return `did not answer (${text})`;
  if (status === 200) return 'answered without a token';
  const { location = '' } = headers;
  const place = URL.canParse(location) ? ` to ${new URL(location).host}` : '';
  return status >= 300 && status < 400
    ? `answered with a redirect (${status})${place}`
    : `answered ${status}`;
}

function refused(url: URL, answer: HttpAnswer, attempts: number): Failure {
  const times = attempts === 1 ? '' : `, tried ${attempts} times`;
  return failed(`${name} at ${url.host} ${saidBy(answer)}${times}`, hintFor(url, answer));
}

function hintFor({ origin }: URL, { status, code = '' }: HttpAnswer): string {
  if (status === undefined && isCertificateTrouble(code)) {
    return `the certificate is not trusted: ${certificateHint}, in the environment of the runner`;
  }
  if (status === undefined || status === 407) {
    return `check that the runner reaches ${origin}, by its proxy (HTTPS_PROXY, NO_PROXY) where it has one`;
  }
  return status < 400
    ? 'something else answered in its place: check the proxy of the runner (HTTPS_PROXY, NO_PROXY)'
    : 'run the job again; if it persists, see https://www.githubstatus.com';
}
