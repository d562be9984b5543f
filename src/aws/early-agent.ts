/** Opens TLS connections before the first request that uses them: two round trips less for it. */
import { Agent, type AgentOptions } from 'node:https';
import { isIP } from 'node:net';
import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { proxyEnvironment } from '../proxy-environment.ts';
import { awsAuthorities } from './authorities.ts';

type CreateConnection = Agent['createConnection'];

/** Keeps connections open between requests. */
export class EarlyAgent extends Agent {
  readonly #waiting = new Map<string, Set<TLSSocket>>();
  readonly #secureContext: SecureContext | undefined;

  /**
   * @param env has the settings: HTTPS_PROXY, NO_PROXY, AWS_CA_BUNDLE
   * @throws INPUT_INVALID
   */
  constructor(env: Readonly<Record<string, string | undefined>>) {
    const secureContext = awsAuthorities(env);
    super({ keepAlive: true, proxyEnv: proxyEnvironment(env), secureContext } satisfies AgentOptions);
    this.#secureContext = secureContext;
  }

  /**
   * Not for a proxy, to which the connection would have to be opened instead.
   *
   * @param count how many requests will be made at the same time. Several services may have one host: they are asked one
   *   after the other, and share the connections
   */
  openEarly({ hostname, port }: Pick<URL, 'hostname' | 'port'>, count = 1): void {
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const name = nameOf(host, port);
    const sockets = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, sockets);
    const servername = isIP(host) === 0 ? host : '';
    while (sockets.size < count) {
      const socket = connect({
        ...{ host, port: Number(port || 443), servername, ALPNProtocols: ['http/1.1'] },
        secureContext: this.#secureContext,
      });
      // The request opens a connection of its own then, and reports what is wrong.
      socket.on('error', () => sockets.delete(socket));
      // It must not keep the process alive for a request that is never made.
      socket.unref();
      sockets.add(socket);
    }
  }

  override createConnection(
    ...[options, callback]: Parameters<CreateConnection>
  ): ReturnType<CreateConnection> {
    const { host, port } = options as { readonly host?: string; readonly port?: number | string };
    const sockets = this.#waiting.get(nameOf(host ?? '', String(port ?? ''))) ?? new Set();
    for (const socket of sockets) {
      sockets.delete(socket);
      if (socket.destroyed || socket.readableEnded) continue;
      socket.ref();
      return socket;
    }
    return super.createConnection(options, callback);
  }
}

function nameOf(host: string, port: string): string {
  return `${host.toLowerCase()}:${port || '443'}`;
}
