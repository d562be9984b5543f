/** The tunnels that Instance Connect Endpoints hold: one WebSocket for one TCP connection, raw bytes both ways. */
import { connect } from 'node:net';
import { createWebSocketStream, type WebSocket } from 'ws';

export interface Ending {
  /** Of the WebSocket (RFC 6455 §7.4). */
  readonly code: number;
  readonly reason: string;
}

/** When nothing listens at the port, or a security group is in the way. AWS's wording; the code is a guess. */
const unreachable: Ending = { code: 1011, reason: 'Unable to connect to target' };

export class Tunnels {
  readonly #open = new Set<WebSocket>();
  /** Milliseconds of the longest that a tunnel lives, whatever was asked for. AWS has an hour. */
  longest = 3_600_000;
  /** Pings that came in. */
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
    // Where the client ends, the host still gets all that it sent.
    stream.on('error', () => host.destroy()).on('close', () => host.end());
    host.on('close', () => {
      if (socket.readyState === socket.OPEN) socket.close(1000);
      // The client's part of the closing is behind what the host did not take.
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

  /** Has every open tunnel say something that is not bytes. */
  sayText(text: string): void {
    for (const socket of this.#open) socket.send(text);
  }
}
