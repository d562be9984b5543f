/**
 * One HTTP request to a service without an SDK of ours. Time and size are limited. It uses the proxy of the
 * environment.
 */
import {
  Agent as HttpAgent,
  request as requestHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { SecureContext } from 'node:tls';
import { proxyEnvironment } from './proxy-environment.ts';

export interface HttpRequest {
  readonly url: URL;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface HttpOptions {
  readonly signal: AbortSignal;
  /** HTTPS_PROXY and NO_PROXY are read from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds for the whole request, from the connection to the last byte. */
  readonly patience?: number | undefined;
  /** Whose certificates are trusted. Default: Node's authorities, and those of NODE_EXTRA_CA_CERTS. */
  readonly secureContext?: SecureContext | undefined;
  /** Largest body in bytes. A larger body counts as no answer. */
  readonly largest?: number | undefined;
}

export interface HttpAnswer {
  /** Absent if no complete answer came. */
  readonly status?: number;
  readonly headers: IncomingHttpHeaders;
  /** The body; if no complete answer came, the reason. */
  readonly text: string;
  /** If no complete answer came: Node's error code, if there is one. `ETIMEDOUT`: no answer began in time. */
  readonly code?: string | undefined;
}

const usualPatience = 10_000;
const usuallyLargest = 1_000_000;

/** Never rejects. It does not follow redirects, because they would receive the credentials. */
export async function sendRequest(
  { url, method = 'GET', headers, body }: HttpRequest,
  { signal, env, patience = usualPatience, largest = usuallyLargest, secureContext }: HttpOptions,
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
        // Plain HTTP is only used for this machine and its network. It never uses a proxy, not even with
        // NODE_USE_ENV_PROXY.
        agent: encrypted
          ? new HttpsAgent({ proxyEnv: proxyEnvironment(env), secureContext })
          : new HttpAgent(),
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
      // A request's own signal does not end a request to a proxy that accepts the connection and then sends nothing.
      // The timer of AbortSignal.timeout would not keep Node alive if the socket is gone before the answer ended.
      signal.addEventListener('abort', stop);
      timer = setTimeout(stop, patience);
      if (signal.aborted) stop();
      request.on('error', fail).end(content);
    });
  } catch (error) {
    // The answer is not HTTP, or a header's value is not allowed.
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
