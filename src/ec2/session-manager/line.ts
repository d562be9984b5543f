/** One WebSocket of a data channel: frames both ways, pings, and an end that is noticed. */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Connection } from '../../aws/connection.ts';
import { openWebSocket } from '../web-socket.ts';

/** Milliseconds. Load balancers and VPC endpoints drop what is idle for minutes. */
const pingInterval = 30_000;
/** Milliseconds for the answer to a ping. */
const pongPatience = 10_000;
/** Milliseconds for the other side's part of the closing handshake. */
const closingPatience = 200;

export interface LineOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** The text of the first message. Secret. */
  readonly opening: string;
  readonly connection: Pick<Connection, 'agents'>;
  readonly signal: AbortSignal;
  readonly onFrame: (frame: Buffer) => void;
  /** What was sent is out: there is room. */
  readonly onDrain: () => void;
  /** Milliseconds. */
  readonly keepAlive?: { readonly interval: number; readonly patience: number };
}

export class Line {
  readonly #socket: WebSocket;
  readonly #transport: Socket;
  readonly #timers: NodeJS.Timeout[] = [];
  #isCorked = false;
  #hasSpoken = false;
  /** Resolves when the socket is gone, for whatever reason. */
  readonly gone: Promise<void>;

  /** @throws UpgradeRefused, Node's errors of the network, the signal's reason */
  static async open(options: LineOptions): Promise<Line> {
    const { url, headers, connection, signal } = options;
    let transport: Socket | undefined;
    const onTransport = (socket: Socket): void => {
      transport = socket;
    };
    const socket = await openWebSocket(url, { headers, connection, signal, onTransport });
    if (!transport) throw new Error('a WebSocket without a socket');
    return new Line(socket, transport, options);
  }

  private constructor(socket: WebSocket, transport: Socket, options: LineOptions) {
    this.#socket = socket;
    this.#transport = transport;
    this.gone = new Promise((resolve) => {
      socket.once('close', () => {
        for (const timer of this.#timers) clearTimeout(timer);
        resolve();
      });
    });
    socket.on('message', (data, isBinary) => {
      this.#hasSpoken = true;
      if (isBinary) options.onFrame(data as Buffer);
    });
    socket.on('pong', () => {
      this.#hasSpoken = true;
    });
    transport.on('drain', options.onDrain);
    this.#keepAlive(options.keepAlive ?? { interval: pingInterval, patience: pongPatience });
    socket.send(options.opening);
    socket.resume();
  }

  /** Frames that are sent in one turn of the event loop go out together. */
  send(frame: Buffer): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#transport.cork();
      queueMicrotask(() => {
        this.#isCorked = false;
        this.#transport.uncork();
      });
    }
    this.#socket.send(frame);
  }

  /** Bytes that the network has not taken yet. onDrain follows where there are any. */
  get backlog(): number {
    return this.#transport.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Resolves when nothing is left of it, soon. */
  async close(): Promise<void> {
    this.#socket.removeAllListeners('message');
    this.#socket.resume();
    this.#socket.close(1000);
    const giveUp = setTimeout(() => {
      this.#socket.terminate();
    }, closingPatience);
    await this.gone;
    clearTimeout(giveUp);
  }

  /** A socket whose other end is gone says nothing: neither to pings. While it is paused it cannot. */
  #keepAlive({ interval, patience }: { interval: number; patience: number }): void {
    const ping = setInterval(() => {
      this.#hasSpoken = false;
      this.#socket.ping();
      const check = setTimeout(() => {
        if (!this.#hasSpoken && !this.#socket.isPaused) this.#socket.terminate();
      }, patience).unref();
      this.#timers[1] = check;
    }, interval).unref();
    this.#timers[0] = ping;
  }
}
