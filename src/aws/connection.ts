/** How this process reaches AWS: one set of sockets, timeouts, retries and credentials for all its clients. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { HttpHandler } from '@smithy/core/protocols';
import { machineCredentials } from './machine-credentials.ts';
import { RequestHandler } from './request-handler.ts';
import { Troubles } from './troubles.ts';

export interface ConnectionOptions {
  /** Proxy settings are read from it (HTTPS_PROXY, NO_PROXY), and which credentials there are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tries of one call, the first included. */
  readonly maxAttempts: number;
  /** Milliseconds for one try. Default: 10,000. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
  /** Called with what the log should have. */
  readonly say?: (line: string) => void;
}

/** Milliseconds: no try of a call takes longer, however much time there is. */
const longest = 10_000;
/** Milliseconds: with less, a try over a slow network would never end well. */
const shortest = 1_500;
/** Milliseconds in which a connection has to be there. */
const connecting = 5_000;

/**
 * A try's share of the time: a hang has to leave enough for another try, in each region, and for the calls behind it.
 *
 * @returns milliseconds
 */
export function patienceOf({
  timeoutSeconds,
  maxAttempts,
  regions,
}: {
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
  readonly regions: readonly string[];
}): number {
  const all = timeoutSeconds * 1000;
  const share = maxAttempts === 1 ? all : all / (2 * (regions.length + 1));
  return Math.min(longest, all, Math.max(shortest, share));
}

/** What every client of the AWS SDK is made with. */
export interface Connection {
  readonly maxAttempts: number;
  readonly requestHandler: HttpHandler & { destroy: () => void };
  /** The default credential chain. A client of other credentials replaces it. */
  readonly credentials: AwsCredentialIdentityProvider;
  /** The sockets below it, for what is no call of an API: WebSockets. By the URL's scheme. */
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly troubles: Troubles;
  /** Milliseconds for one try, for requests that are no client's. */
  readonly patience: number;
}

/** The Node that first takes proxy settings from the environment (`proxyEnv` of http.Agent): 24.5. */
export function ignoresProxy(env: ConnectionOptions['env'], version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const proxy = env['HTTPS_PROXY'] || env['https_proxy'];
  return Boolean(proxy) && (major < 24 || (major === 24 && minor < 5));
}

export function openConnection(options: ConnectionOptions): Connection {
  const { env, maxAttempts, patience = longest, signal, say = () => undefined } = options;
  const sockets = { keepAlive: true, proxyEnv: env };
  // Plain HTTP stays on this machine or among its neighbours: a proxy would read what is kept private by that.
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent(sockets) };
  const troubles = new Troubles();
  const requestHandler = new RequestHandler({
    ...{ patience, troubles, say },
    connectionTimeout: Math.min(connecting, patience),
    httpAgent: agents.http,
    httpsAgent: agents.https,
  });
  const credentials = machineCredentials({ env, patience, signal });
  return { maxAttempts, requestHandler, credentials, agents, troubles, patience };
}
