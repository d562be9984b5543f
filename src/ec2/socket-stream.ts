/** The bytes of a WebSocket's messages as a stream, at the pace of the slower side. */
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Failure } from '../errors.ts';

/** Milliseconds for the other side's part of the closing handshake, after the stream was destroyed. */
const closingPatience = 1000;

export interface Explanations {
  /**
   * @param code the other side's close code (RFC 6455 §7.4)
   * @returns undefined for a normal end
   */
  readonly ended: (code: number, reason: string) => Failure | undefined;
  readonly broken: (error: Error) => Failure;
  /** The error for a text message. */
  readonly text: () => Failure;
}

/**
 * Ends if the other side closes normally; is destroyed with a Failure if it does not. `end()` closes the WebSocket
 * after all written data: it cannot be half open. `destroy()` closes it at once.
 */
export class SocketStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #explain: Explanations;
  /** This side has closed. Later messages are ignored. */
  #closing = false;

  /** @param socket open and paused */
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
    // A send error also causes a close event, which reports it.
    this.#socket.send(chunk, () => {
      done();
    });
  }

  override _final(done: () => void): void {
    this.#close(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // After this, pending data is dropped.
    const giveUp = setTimeout(() => {
      this.#socket.terminate();
    }, closingPatience);
    this.#close(() => {
      clearTimeout(giveUp);
      done(error);
    });
    // The closing handshake comes after unread data, which is discarded here.
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
