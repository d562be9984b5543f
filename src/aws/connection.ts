/** How this process reaches AWS: sockets, timeouts, retries and credentials, shared by all clients. */
import { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { HttpHandler } from '@smithy/core/protocols';
import { EarlyAgent } from './early-agent.ts';
import { machineCredentials } from './machine-credentials.ts';
import { longest } from './patience.ts';
import type { Renewable } from './renewing.ts';
import { RequestHandler } from './request-handler.ts';
import { Troubles } from './troubles.ts';

export interface ConnectionOptions {
  /** Has the proxy settings (HTTPS_PROXY, NO_PROXY) and the credentials. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tries of one call, the first included. */
  readonly maxAttempts: number;
  /** The same for a call that is throttled. Default: maxAttempts. */
  readonly throttledAttempts?: number | undefined;
  /** Milliseconds for one try. Default: 10,000. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
  /** Called with lines for the log. */
  readonly say?: (line: string) => void;
  /** Called with a line for each try of a call. */
  readonly debug?: (line: string) => void;
  /** With connections that were opened before they are needed. Default: none are. */
  readonly https?: EarlyAgent | undefined;
}

/** Milliseconds to open a connection. */
const connecting = 5_000;

/** The settings of every client of the AWS SDK. */
export interface Connection {
  readonly maxAttempts: number;
  readonly throttledAttempts: number;
  readonly requestHandler: HttpHandler & { destroy: () => void };
  /** The default credential chain. A client that has other credentials replaces it. */
  readonly credentials: AwsCredentialIdentityProvider & Renewable;
  /** The sockets, by the scheme of the URL, also for WebSockets. */
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly troubles: Troubles;
  /** Milliseconds for one try of a request that no client of the SDK makes. */
  readonly patience: number;
}

const ignore = (): void => undefined;

export function openConnection(options: ConnectionOptions): Connection {
  const { env, maxAttempts, throttledAttempts = maxAttempts, patience = longest } = options;
  const { signal, say = ignore, debug = ignore } = options;
  // Plain HTTP is only for this machine and its network. It must not go through a proxy, which could read it.
  const agents = { http: new HttpAgent({ keepAlive: true }), https: options.https ?? new EarlyAgent(env) };
  const troubles = new Troubles();
  const requestHandler = new RequestHandler({
    ...{ patience, troubles, say, debug },
    connectionTimeout: Math.min(connecting, patience),
    httpAgent: agents.http,
    httpsAgent: agents.https,
  });
  const credentials = machineCredentials({ env, patience, signal });
  return { maxAttempts, throttledAttempts, requestHandler, credentials, agents, troubles, patience };
}
