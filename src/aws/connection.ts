/** How this process reaches AWS: one set of sockets, timeouts and retries for all its clients. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';

export interface ConnectionOptions {
  /** Proxy settings are read from it: HTTPS_PROXY, HTTP_PROXY, NO_PROXY. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tries of one call, the first included. */
  readonly maxAttempts: number;
}

/** Connecting and answering are bounded each, so that a hang is tried again instead of waited out. Milliseconds. */
const connectionTimeout = 5_000;
const requestTimeout = 10_000;

/** What every client of the AWS SDK is made with. */
export interface Connection {
  readonly maxAttempts: number;
  readonly requestHandler: NodeHttpHandler;
  /** The sockets below it, for what is no call of an API: WebSockets. By the URL's scheme. */
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
}

/** The Node that first takes proxy settings from the environment (`proxyEnv` of http.Agent): 24.5. */
export function ignoresProxy(env: ConnectionOptions['env'], version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const proxy = env['HTTPS_PROXY'] || env['https_proxy'];
  return Boolean(proxy) && (major < 24 || (major === 24 && minor < 5));
}

export function openConnection({ env, maxAttempts }: ConnectionOptions): Connection {
  const sockets = { keepAlive: true, proxyEnv: env };
  const agents = { http: new HttpAgent(sockets), https: new HttpsAgent(sockets) };
  const requestHandler = new NodeHttpHandler({
    connectionTimeout,
    requestTimeout,
    throwOnRequestTimeout: true,
    httpAgent: agents.http,
    httpsAgent: agents.https,
  });
  return { maxAttempts, requestHandler, agents };
}
