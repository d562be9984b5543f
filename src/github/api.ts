/** Calls GitHub's API: repeats calls if that can help, and converts its errors. */
import { Failure } from '../errors.ts';
import { sendRequest, type HttpAnswer, type HttpOptions, type HttpRequest } from '../http-request.ts';

export interface ApiOptions extends HttpOptions {
  /** Tries of one call, including the first. */
  readonly maxAttempts: number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export interface Call {
  readonly method: NonNullable<HttpRequest['method']>;
  /** The API's address, without a slash at its end. */
  readonly apiUrl: string;
  readonly path: string;
  /** Secret. */
  readonly bearer: string;
  readonly body?: unknown;
  /** Limit of the answer. */
  readonly maxBytes: number;
}

/** Bytes. A longer answer is not GitHub's. */
export const longestAnswer = { usual: 1_000_000, token: 65_536 } as const;

/** The longest wait that an answer may ask for, in milliseconds. */
const longestWait = 30_000;

/**
 * Returns GitHub's last answer, even 404 or 500.
 *
 * @throws NETWORK_UNREACHABLE, TIMEOUT
 */
export async function callApi(
  { apiUrl, path, bearer, maxBytes, ...call }: Call,
  options: ApiOptions,
): Promise<HttpAnswer> {
  const { signal, maxAttempts, sleep } = options;
  const url = new URL(apiUrl + path);
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${bearer}`,
    'user-agent': 'ssm-ssh-agent',
    'x-github-api-version': '2022-11-28',
  };
  for (let attempt = 1; ; attempt++) {
    const answer = await sendRequest({ ...call, url, headers }, { ...options, largest: maxBytes });
    signal.throwIfAborted();
    const wait = waitAfter(answer, attempt);
    if (wait === undefined || wait > longestWait || attempt >= maxAttempts) {
      if (answer.status === undefined) throw unreachable(url, answer.text, attempt);
      return answer;
    }
    await sleep(wait).catch(() => undefined);
    signal.throwIfAborted();
  }
}

/** Milliseconds; undefined if the answer would be the same again. */
function waitAfter({ status, headers }: HttpAnswer, attempt: number): number | undefined {
  const asked = Number(headers['retry-after']);
  const limited = status === 429 || (status === 403 && headers['retry-after'] !== undefined);
  if (status !== undefined && status < 500 && !limited) return undefined;
  return asked > 0 ? asked * 1000 : 100 * 2 ** attempt;
}

function unreachable(url: URL, why: string, attempts: number): Failure {
  const times = attempts === 1 ? '' : `, tried ${attempts} times`;
  return new Failure('NETWORK_UNREACHABLE', `GitHub's API at ${url.host} did not answer (${why})${times}`, {
    hint: `check that this machine reaches ${url.origin}, through its proxy if it has one (HTTPS_PROXY, NO_PROXY)`,
  });
}

/** GitHub's own message, shortened for a log. */
export function saidBy({ status, text }: HttpAnswer): string {
  const { message } = readObject(text);
  const words = typeof message === 'string' ? message.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300) : '';
  return `${status ?? 0}${words && ` ${words}`}`;
}

/** Empty if it is not a JSON object: a proxy may have answered. */
export function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * Revokes an installation token. A token that has expired or is already revoked counts as success.
 *
 * @param token secret
 * @throws PROVIDER_FAILED, NETWORK_UNREACHABLE, TIMEOUT
 */
export async function revokeToken(token: string, apiUrl: string, options: ApiOptions): Promise<void> {
  const call = { method: 'DELETE', apiUrl, path: '/installation/token', bearer: token } as const;
  const answer = await callApi({ ...call, maxBytes: longestAnswer.usual }, options);
  if (answer.status === 204 || answer.status === 401) return;
  const { host } = new URL(apiUrl);
  throw new Failure('PROVIDER_FAILED', `${host} did not revoke the token: it answered ${saidBy(answer)}`, {
    hint: 'it expires one hour after it was created',
  });
}
