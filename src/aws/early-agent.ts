/** Opens TLS connections before the first request that uses them: two round trips less for it. */
import { Agent, type AgentOptions } from 'node:https';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

type CreateConnection = Agent['createConnection'];

/** Keeps connections open between requests. */
export class EarlyAgent extends Agent {
  readonly #waiting = new Map<string, TLSSocket>();

  /** @param env has the proxy settings: HTTPS_PROXY, NO_PROXY */
  constructor(env: Readonly<Record<string, string | undefined>>) {
    super({ keepAlive: true, proxyEnv: env } satisfies AgentOptions);
  }

  /** Not for a proxy, to which the connection would have to be opened instead. */
  openEarly({ hostname, port }: Pick<URL, 'hostname' | 'port'>): void {
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const name = nameOf(host, port);
    if (this.#waiting.has(name)) return;
    const servername = isIP(host) === 0 ? host : '';
    const socket = connect({ host, port: Number(port || 443), servername, ALPNProtocols: ['http/1.1'] });
    // The request opens a connection of its own then, and reports what is wrong.
    socket.on('error', () => this.#waiting.delete(name));
    // It must not keep the process alive for a request that is never made.
    socket.unref();
    this.#waiting.set(name, socket);
  }

  override createConnection(
    ...[options, callback]: Parameters<CreateConnection>
  ): ReturnType<CreateConnection> {
    const { host, port } = options as { readonly host?: string; readonly port?: number | string };
    const name = nameOf(host ?? '', String(port ?? ''));
    const socket = this.#waiting.get(name);
    this.#waiting.delete(name);
    if (!socket || socket.destroyed || socket.readableEnded) return super.createConnection(options, callback);
    socket.ref();
    return socket;
  }
}

function nameOf(host: string, port: string): string {
  return `${host.toLowerCase()}:${port || '443'}`;
}
