/** The tunnels of Instance Connect Endpoints: one WebSocket for one TCP connection, with raw bytes in both directions. */
import { connect } from 'node:net';
import { createWebSocketStream, type WebSocket } from 'ws';

export interface Ending {
  /** Of the WebSocket (RFC 6455 §7.4). */
  readonly code: number;
  readonly reason: string;
}

/** Nothing listens on the port, or a security group blocks it. AWS's message; the code is a guess. */
const unreachable: Ending = { code: 1011, reason: 'Unable to connect to target' };

export class Tunnels {
  readonly #open = new Set<WebSocket>();
  /** The longest lifetime of a tunnel in milliseconds, whatever the client asks for. AWS has an hour. */
  longest = 3_600_000;
  /** Number of received pings. */
  pings = 0;

  get open(): number {
    return this.#open.size;
  }

  /** @param port on 127.0.0.1; undefined: nothing listens */
  carry(socket: WebSocket, port: number | undefined, seconds: number): void {
    this.#open.add(socket);
    const limit = setTimeout(
      () => {
        socket.close(1001, 'Maximum tunnel duration reached');
      },
      Math.min(this.longest, seconds * 1000),
    ).unref();
    socket.on('error', () => undefined);
    socket.on('ping', () => (this.pings += 1));
    socket.on('close', () => {
      clearTimeout(limit);
      this.#open.delete(socket);
    });
    if (port === undefined) {
      socket.close(unreachable.code, unreachable.reason);
      return;
    }
    const host = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
    host.once('error', () => {
      socket.close(unreachable.code, unreachable.reason);
    });
    const stream = createWebSocketStream(socket);
    // If the client ends, the host still receives everything.
    stream.on('error', () => host.destroy()).on('close', () => host.end());
    host.on('close', () => {
      if (socket.readyState === socket.OPEN) socket.close(1000);
      // The client's close frame comes after data that the host did not accept.
      socket.removeAllListeners('message');
      socket.resume();
    });
    stream.pipe(host).pipe(stream, { end: false });
  }

  /** Ends every open tunnel; without an ending the connection is cut. */
  end(ending?: Ending): void {
    for (const socket of this.#open) {
      if (ending) socket.close(ending.code, ending.reason);
      else socket.terminate();
    }
  }

  /** Sends a text message on every open tunnel. */
  sayText(text: string): void {
    for (const socket of this.#open) socket.send(text);
  }
}
