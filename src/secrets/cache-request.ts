/** One question to a cache on this machine, with tries. It needs no AWS SDK. */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitWhenThrottled } from '../aws/back-off.ts';
import { readAwsError } from '../aws/failures.ts';
import type { Troubles } from '../aws/troubles.ts';
import { abortable } from '../deadline.ts';
import { Failure, type Code } from '../errors.ts';
import { sendRequest, type HttpAnswer } from '../http-request.ts';
import type { CacheToken } from './cache-token.ts';

export interface CacheCaller {
  readonly address: URL;
  readonly token: CacheToken;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Milliseconds for one try. The cache may have to ask AWS. */
  readonly patience: number;
  readonly troubles: Troubles;
}

/** Tries, the first included, while the cache starts or fails. While AWS throttles, only the signal ends them. */
const tries = 4;
/** Milliseconds before the second try, and three times as many before each later one. */
const pause = 100;
/** Bytes. A secret has 64 KB at most, and JSON may escape each character. */
const largest = 500_000;

/**
 * @returns the JSON of the answer
 * @throws AWS's own error, with its name and message, as the AWS SDK would throw it
 * @throws NETWORK_UNREACHABLE, CREDENTIALS_MISSING, PROVIDER_FAILED, INPUT_INVALID about the cache itself
 */
export async function askCache(
  path: string,
  query: Readonly<Record<string, string>>,
  caller: CacheCaller,
): Promise<unknown> {
  const { address, token, env, signal, patience, troubles } = caller;
  const url = new URL(path, address);
  url.search = new URLSearchParams(query).toString();
  const headers = { 'x-aws-parameters-secrets-token': token.text };
  for (let tried = 1; ; tried++) {
    const answer = await sendRequest({ url, headers }, { env, signal, patience, largest });
    signal.throwIfAborted();
    if (answer.status === 200) return parsed(answer, caller);
    const error = errorOf(answer, caller);
    const isThrottled = answer.status === 429 || /Throttl|TooManyRequests/.test(readAwsError(error).name);
    const what = isThrottled ? 'limits the rate of calls' : 'does not answer as it should';
    troubles.note('cache', { what: `the cache at ${address.origin} ${what}`, throttled: isThrottled });
    if (!isThrottled && (!mayPass(answer) || tried === tries)) throw error;
    const wait = isThrottled ? waitWhenThrottled(tried) : pause * 3 ** (tried - 1);
    await abortable(sleep(wait), signal);
  }
}

function mayPass({ status, text }: HttpAnswer): boolean {
  // The Lambda extension says so while the function is initialised.
  return status === undefined || status >= 500 || text.includes('not ready to serve traffic');
}

function parsed(answer: HttpAnswer, caller: CacheCaller): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    throw broken(caller, 'is broken');
  }
}

/** @param why as it follows "the answer of the cache" */
export function broken({ address }: Pick<CacheCaller, 'address'>, why: string): Failure {
  return new Failure('PROVIDER_FAILED', `the answer of the cache at ${address.origin} ${why}`, {
    hint: `check which program listens on port ${address.port || '80'}: ss -ltnp`,
  });
}

function errorOf(answer: HttpAnswer, caller: CacheCaller): Error {
  const { status, text } = answer;
  const { address, token } = caller;
  const fail = (code: Code, what: string, hint: string): Failure =>
    new Failure(code, `the cache at ${address.origin} ${what}`, { hint });
  if (status === undefined) return fail('NETWORK_UNREACHABLE', `cannot be reached (${text})`, startHint);
  if (status >= 300 && status < 400) return broken(caller, `is a redirect (${status})`);
  const own = awsErrorIn(text);
  if (own)
    return Object.assign(new Error(own.message), { name: own.name, $metadata: { httpStatusCode: status } });
  if (status === 401 || status === 403)
    return fail('CREDENTIALS_MISSING', `does not accept the token of ${token.place}`, tokenHint);
  if (status === 404) return fail('INPUT_INVALID', 'does not serve this store', storeHint);
  if (status === 429) return fail('THROTTLED', 'has too many connections', 'run it again later');
  return fail('PROVIDER_FAILED', `answered ${status}: ${firstWords(text)}`, startHint);
}

const startHint =
  'check that it runs, or take its setting away, and AWS itself is asked: ssm.cache, SSM_SSH_CACHE or --cache';
const tokenHint =
  'set AWS_TOKEN to the token that the cache was started with, or to file:// and the path of its file';
const storeHint =
  'the Secrets Manager Agent has secrets only: write secretsmanager:NAME, or take its setting away (ssm.cache, SSM_SSH_CACHE or --cache)';

/** Of all its text, people need the beginning. */
function firstWords(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 200) || 'nothing';
}

/** The agent repeats AWS's error as JSON; of the extension it is only known that AWS's error is in its text. */
function awsErrorIn(text: string): { readonly name: string; readonly message: string } | undefined {
  try {
    const { __type: type, message, Message = message } = JSON.parse(text) as Record<string, unknown>;
    if (typeof type === 'string') {
      return { name: type.replace(/^.*#/, ''), message: typeof Message === 'string' ? Message : '' };
    }
  } catch {
    // It is plain text.
  }
  const [name] = /\b([A-Z]\w*(Exception|NotFound)|InvalidKeyId|DecryptionFailure)\b/.exec(text) ?? [];
  return name === undefined ? undefined : { name, message: firstWords(text) };
}
