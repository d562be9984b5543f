/** A TCP host for tunnels, and functions that observe the tunnel's near end. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex, Writable } from 'node:stream';
import type { Tunnel } from '../../src/ec2/tunnel.ts';
import { Failure } from '../../src/errors.ts';

export class TcpHost {
  /** Handles each connection. */
  behave: (socket: Socket) => void = echo;
  readonly #clients = new Set<Socket>();
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => {
    this.#clients.add(socket.on('error', () => undefined).once('close', () => this.#clients.delete(socket)));
    this.behave(socket);
  });

  /** On 127.0.0.1. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  /** Drops every connection and restores the default behaviour. */
  reset(): void {
    for (const client of this.#clients) client.destroy();
    this.behave = echo;
  }

  stop(): void {
    this.reset();
    this.#server.close();
  }
}

function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** Reads this number of bytes. */
export async function read(stream: Duplex, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    if ((size += chunk.length) >= bytes) break;
  }
  return Buffer.concat(chunks);
}

/** How the stream ends: undefined, or the Failure that destroyed it. */
export async function endOf({ stream }: Tunnel): Promise<Failure | undefined> {
  return await new Promise((resolve, reject) => {
    stream.resume().once('end', () => {
      resolve(undefined);
    });
    stream.once('error', (error) => {
      if (error instanceof Failure) resolve(error);
      else reject(error);
    });
  });
}

/** Writes as long as the stream accepts bytes, up to 300 MB. */
export function pour(into: Writable): { readonly megabytes: number } {
  const flood = Buffer.alloc(1_000_000);
  const poured = { megabytes: 0 };
  const write = (): void => {
    while (poured.megabytes < 300 && into.write(flood)) poured.megabytes += 1;
  };
  into.on('drain', write);
  write();
  return poured;
}
