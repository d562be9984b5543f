/** The bytes inside a WebSocket's messages as a stream, at the pace of the slower side. */
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Failure } from '../errors.ts';

/** Milliseconds for the other side's part of the closing handshake, once the stream is destroyed. */
const closingPatience = 1000;

export interface Explanations {
  /**
   * The other side's close code (RFC 6455 §7.4) and its reason.
   *
   * @returns undefined for a good end
   */
  readonly ended: (code: number, reason: string) => Failure | undefined;
  readonly broken: (error: Error) => Failure;
  /** Of a message that is text. */
  readonly text: () => Failure;
}

/**
 * Ends where the other side closes well, and is destroyed with a Failure where it does not. Ended from this side, it
 * closes the WebSocket behind all that was written: there is no half of one. Destroyed, it closes it at once.
 */
export class SocketStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #explain: Explanations;
  /** We have said the last word: what comes now is no news, or lost. */
  #closing = false;

  /** @param socket open, and paused */
  constructor(socket: WebSocket, explain: Explanations) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#explain = explain;
    socket.on('message', (data: Buffer, isBinary) => {
      this.#take(data, isBinary);
    });
    socket.on('error', (error) => {
      if (!this.#closing) this.destroy(explain.broken(error));
    });
    socket.once('close', (code, reason) => {
      const failure = this.#closing ? undefined : explain.ended(code, reason.toString());
      this.#closing = true;
      if (failure) this.destroy(failure);
      else this.push(null);
    });
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.destroyed) return;
    if (!isBinary) this.destroy(this.#explain.text());
    else if (!this.push(data)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) {
      done();
      return;
    }
    // Why it was not sent, the socket's own end says.
    this.#socket.send(chunk, () => {
      done();
    });
  }

  override _final(done: () => void): void {
    this.#close(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Nobody waits for what is on its way any more.
    const giveUp = setTimeout(() => {
      this.#socket.terminate();
    }, closingPatience);
    this.#close(() => {
      clearTimeout(giveUp);
      done(error);
    });
    // The other side's answer is behind whatever was not read, and nobody will read that.
    this.#socket.resume();
  }

  #close(done: () => void): void {
    const socket = this.#socket;
    this.#closing = true;
    if (socket.readyState === socket.CLOSED) {
      done();
      return;
    }
    socket.once('close', () => {
      done();
    });
    socket.close(1000);
  }
}
