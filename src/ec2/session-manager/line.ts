/** One WebSocket of a data channel: frames in both directions, pings, and detection of its end. */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Connection } from '../../aws/connection.ts';
import { openWebSocket } from '../web-socket.ts';

/** Milliseconds. Load balancers and VPC endpoints drop connections without traffic after some minutes. */
const pingInterval = 30_000;
/** Milliseconds for the answer to a ping. */
const pongPatience = 10_000;
/** Milliseconds for the other side's part of the closing handshake. */
const closingPatience = 200;

export interface LineOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** The first message. Secret. */
  readonly opening: string;
  readonly connection: Pick<Connection, 'agents'>;
  readonly signal: AbortSignal;
  readonly onFrame: (frame: Buffer) => void;
  /** All frames were sent, so there is room. */
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
  /** Resolves when the socket is gone, for any reason. */
  readonly gone: Promise<void>;

  /** @throws UpgradeRefused, Node's network errors, the signal's reason */
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

  /** Frames of one turn of the event loop are sent together. */
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

  /** Bytes that the network has not accepted yet. If there are any, onDrain follows. */
  get backlog(): number {
    return this.#transport.writableLength;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Resolves soon, when the socket is closed. */
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

  /**
   * Detects a connection that is lost without a close. It does not ping while the socket is paused, because the answer
   * would not be read.
   */
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
