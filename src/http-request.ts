/** One HTTP request to a service that no SDK of ours knows: bounded in time and size, through the proxy that the environment names. */
import {
  Agent as HttpAgent,
  request as requestHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

export interface HttpRequest {
  readonly url: URL;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface HttpOptions {
  readonly signal: AbortSignal;
  /** Proxy settings are read from it: HTTPS_PROXY, NO_PROXY. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds for one try, from the connection to the last byte. */
  readonly patience?: number | undefined;
  /** Bytes of the answer's body that are read at most; more is no answer. */
  readonly largest?: number | undefined;
}

export interface HttpAnswer {
  /** Absent where no whole answer came. */
  readonly status?: number;
  readonly headers: IncomingHttpHeaders;
  /** The body; where no whole answer came, why. */
  readonly text: string;
  /** Where no whole answer came: Node's code for the reason, if it has one. `ETIMEDOUT`: none began in time. */
  readonly code?: string | undefined;
}

const usualPatience = 10_000;
const usuallyLargest = 1_000_000;

/** Never rejects. Redirects are not followed: they would take the credentials along. */
export async function sendRequest(
  { url, method = 'GET', headers, body }: HttpRequest,
  { signal, env, patience = usualPatience, largest = usuallyLargest }: HttpOptions,
): Promise<HttpAnswer> {
  const encrypted = url.protocol === 'https:';
  const content = body === undefined ? undefined : JSON.stringify(body);
  let stop: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<HttpAnswer>((resolve) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        resolve({ headers: {}, text: error.message, code: error.code });
      };
      const options = {
        method,
        headers: { ...headers, ...(content !== undefined && { 'content-type': 'application/json' }) },
        // Plain HTTP is for this machine and its neighbours alone: not even NODE_USE_ENV_PROXY leads it through a proxy.
        agent: encrypted ? new HttpsAgent({ proxyEnv: env }) : new HttpAgent(),
      };
      let begun = false;
      const request = (encrypted ? requestHttps : requestHttp)(url, options, (response) => {
        begun = true;
        readText(response, largest).then(
          (text) => {
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
          },
          (error: unknown) => {
            fail(error as Error);
            request.destroy();
          },
        );
      });
      stop = () => {
        fail(
          begun
            ? new Error('no whole answer in time')
            : Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }),
        );
        request.destroy();
      };
      // By hand: a request's own signal does not reach a proxy that accepts the connection and says no more. A timer of
      // AbortSignal's own would not keep Node alive where the socket is gone and the answer has not ended.
      signal.addEventListener('abort', stop);
      timer = setTimeout(stop, patience);
      if (signal.aborted) stop();
      request.on('error', fail).end(content);
    });
  } catch (error) {
    // Not HTTP, or no header's text.
    const { message, code } = error as NodeJS.ErrnoException;
    return { headers: {}, text: message, code };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

async function readText(response: IncomingMessage, largest: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) throw new Error(`an answer of more than ${largest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
