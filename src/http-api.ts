/** Calls a git host's API over HTTP: repeats calls if that can help, and reads its answers. */
import { backOff } from './back-off.ts';
import { certificateHint, isCertificateTrouble } from './certificate-trouble.ts';
import { Failure } from './errors.ts';
import { sendRequest, type HttpAnswer, type HttpOptions, type HttpRequest } from './http-request.ts';

export interface ApiOptions extends HttpOptions {
  /** Tries of one call, including the first. */
  readonly maxAttempts: number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export interface ApiCall extends HttpRequest {
  /** The host's product in messages: `GitHub`. */
  readonly product: string;
  /** Limit of the answer, in bytes. */
  readonly maxBytes: number;
}

/** The longest wait that an answer may ask for, in milliseconds. */
const longestWait = 30_000;
/** Milliseconds between two tries, if the host asks for no other time. */
const waits = { first: 200, longest: 10_000 };

/**
 * Returns the last answer, even 404 or 500.
 *
 * @throws NETWORK_UNREACHABLE, TIMEOUT
 */
export async function callHttpApi(
  { product, maxBytes, ...request }: ApiCall,
  options: ApiOptions,
): Promise<HttpAnswer> {
  const { signal, maxAttempts, sleep } = options;
  for (let attempt = 1; ; attempt++) {
    const answer = await sendRequest(request, { ...options, largest: maxBytes });
    signal.throwIfAborted();
    const wait = waitAfter(answer, attempt);
    if (wait === undefined || wait > longestWait || attempt >= maxAttempts) {
      if (answer.status !== undefined) return answer;
      const times = attempt === 1 ? '' : `, tried ${attempt} times`;
      throw unreachable(product, request.url, { ...answer, times });
    }
    await sleep(wait).catch(() => undefined);
    signal.throwIfAborted();
  }
}

/** Milliseconds; undefined if the answer would be the same again. */
function waitAfter({ status, headers, code = '' }: HttpAnswer, attempt: number): number | undefined {
  if (isCertificateTrouble(code)) return undefined;
  const asked = Number(headers['retry-after']);
  const limited = status === 429 || (status === 403 && headers['retry-after'] !== undefined);
  if (status !== undefined && status < 500 && !limited) return undefined;
  return asked > 0 ? asked * 1000 : backOff(waits, attempt);
}

function unreachable(
  product: string,
  { host, origin }: URL,
  { text, code = '', times }: HttpAnswer & { readonly times: string },
): Failure {
  const said = `${product}'s API at ${host}`;
  if (isCertificateTrouble(code)) {
    const message = `the certificate of ${said} is not trusted (${code})`;
    return new Failure('NETWORK_UNREACHABLE', message, { hint: certificateHint });
  }
  return new Failure('NETWORK_UNREACHABLE', `${said} did not answer (${text})${times}`, {
    hint: `check that this machine reaches ${origin}, through its proxy if it has one (HTTPS_PROXY, NO_PROXY)`,
  });
}

/** The JSON of an answer; undefined if it is not JSON: a proxy may have answered. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Empty if it is not a JSON object. */
export function readObject(text: string): Readonly<Record<string, unknown>> {
  const parsed = readJson(text);
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
}

/** The status and the host's own message, shortened for a log. */
export function saidBy({ status, text }: HttpAnswer): string {
  const { message, error } = readObject(text);
  const said = message ?? error;
  const words = typeof said === 'string' ? said : said === undefined ? '' : JSON.stringify(said);
  return [status ?? 0, words.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300)].filter(Boolean).join(' ');
}
