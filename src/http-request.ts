/** One HTTP request to a service that no SDK of ours knows: bounded in time, through the proxy that the environment names. */
import { request as requestHttp, type IncomingHttpHeaders } from 'node:http';
import { Agent, request as requestHttps } from 'node:https';

export interface HttpRequest {
  readonly url: URL;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the answer's body: what is longer is cut off there. */
  readonly maxBytes?: number;
}

export interface HttpOptions {
  readonly signal: AbortSignal;
  /** Proxy settings are read from it: HTTPS_PROXY, NO_PROXY. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface HttpAnswer {
  /** Absent where no whole answer came. */
  readonly status?: number;
  readonly headers: IncomingHttpHeaders;
  /** The body; where no whole answer came, why. */
  readonly text: string;
}

/** Milliseconds for one try. */
const patience = 10_000;

/** Bytes, where none are told. */
const longestBody = 1_000_000;

/** Never rejects. Redirects are not followed: they would take the credentials along. */
export async function sendRequest(
  { url, method = 'GET', headers, body, maxBytes = longestBody }: HttpRequest,
  { signal, env }: HttpOptions,
): Promise<HttpAnswer> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
  const encrypted = url.protocol === 'https:';
  const content = body === undefined ? undefined : JSON.stringify(body);
  return await new Promise<HttpAnswer>((resolve) => {
    const fail = (error: Error): void => {
      resolve({ headers: {}, text: error.message });
    };
    const options = {
      method,
      headers: { ...headers, ...(content !== undefined && { 'content-type': 'application/json' }) },
      ...(encrypted && { agent: new Agent({ proxyEnv: env }) }),
    };
    const request = (encrypted ? requestHttps : requestHttp)(url, options, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const answer = (): void => {
        const text = Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      };
      response.on('error', fail).on('end', answer);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size <= maxBytes) return;
        answer();
        request.destroy();
      });
    });
    // By hand: a request's own signal does not reach a proxy that accepts the connection and says no more.
    limit.addEventListener('abort', () => {
      fail(new Error('no answer in time'));
      request.destroy();
    });
    request.on('error', fail).end(content);
  }).catch((error: unknown) => ({ headers: {}, text: (error as Error).message })); // Not HTTP, or no header's text.
}
