/** A TCP relay on 127.0.0.1 with connections that a test can reset. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class TcpRelay {
  /** Bytes so far, in both directions. */
  bytes = 0;
  readonly #clients = new Set<Socket>();
  readonly #server: Server;

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const host = connect(port, '127.0.0.1');
      this.#clients.add(client.once('close', () => this.#clients.delete(client)));
      for (const [from, to] of [
        [client, host],
        [host, client],
      ] as const) {
        from.on('error', () => undefined).on('close', () => to.destroy());
        from.on('data', (chunk: Buffer) => (this.bytes += chunk.length)).pipe(to);
      }
    });
  }

  /** @param port the destination on 127.0.0.1 */
  static async start(port: number): Promise<TcpRelay> {
    const relay = new TcpRelay(port);
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Sends a RST to every client. */
  reset(): void {
    for (const client of this.#clients) client.resetAndDestroy();
  }

  close(): void {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
  }
}
