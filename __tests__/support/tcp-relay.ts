/** A TCP relay on 127.0.0.1, with connections that a test can reset, and with the round-trip time of a network. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface RelayOptions {
  /** Milliseconds that a packet and its answer take. A new connection takes one round trip before its first byte. Default: 0. */
  readonly roundTrip?: number;
}

export class TcpRelay {
  /** Bytes so far, in both directions. */
  bytes = 0;
  /** Connections so far. */
  connections = 0;
  /** When the first connection came, and when the last bytes reached a client, by `performance.now()`. */
  firstAt = Infinity;
  lastAt = -Infinity;
  readonly #clients = new Set<Socket>();
  readonly #server: Server;
  readonly #roundTrip: number;

  private constructor(port: number, { roundTrip = 0 }: RelayOptions) {
    this.#roundTrip = roundTrip;
    // With delays, each direction ends by itself.
    const allowHalfOpen = roundTrip > 0;
    this.#server = createServer({ allowHalfOpen }, (client) => {
      const host = connect({ port, host: '127.0.0.1', allowHalfOpen });
      this.connections++;
      this.firstAt = Math.min(this.firstAt, performance.now());
      this.#clients.add(client.once('close', () => this.#clients.delete(client)));
      for (const [from, to] of [
        [client, host],
        [host, client],
      ] as const) {
        from.on('error', () => undefined);
        from.on('data', (chunk: Buffer) => (this.bytes += chunk.length));
        this.#join(from, to, from === client);
      }
    });
  }

  /** @param port the destination on 127.0.0.1 */
  static async start(port: number, options: RelayOptions = {}): Promise<TcpRelay> {
    const relay = new TcpRelay(port, options);
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #join(from: Socket, to: Socket, up: boolean): void {
    if (this.#roundTrip === 0) {
      from.on('close', () => to.destroy()).pipe(to);
      return;
    }
    const open = up ? performance.now() + this.#roundTrip : 0;
    const queue: (() => void)[] = [];
    // Timers of different lengths may fire in another order, so each takes what is first in the queue.
    const later = (deliver: () => void): void => {
      queue.push(deliver);
      setTimeout(() => queue.shift()?.(), Math.max(0, open - performance.now()) + this.#roundTrip / 2);
    };
    const deliver = (chunk: Buffer): void => {
      if (!up) this.lastAt = performance.now();
      to.write(chunk);
    };
    from.on('data', (chunk: Buffer) => {
      later(() => {
        deliver(chunk);
      });
    });
    from.on('end', () => {
      later(() => to.end());
    });
    from.on('close', () => {
      later(() => to.destroy());
    });
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
