/** A connection to OpenSSH's agent, for one connection of a client. */
import { createConnection, type Socket } from 'node:net';
import { within } from '../../deadline.ts';
import { string } from '../../keys/wire.ts';
import { MessageReader } from '../../ssh/agent-protocol.ts';

/**
 * It is opened for the first message. After a failure it stays closed, because another connection would not have the
 * sessions that the client has bound.
 */
export class Back {
  readonly #path: string | undefined;
  #socket: Socket | undefined;
  #isGone: boolean;
  #settle: ((answer: Buffer | undefined) => void) | undefined;

  /** @param path of the agent's socket; undefined if there is none */
  constructor(path: string | undefined) {
    this.#path = path;
    this.#isGone = path === undefined;
  }

  /**
   * One message at a time.
   *
   * @param message without its length. Set to zeros afterwards: it may hold a private key.
   * @param patience milliseconds; without a limit an agent may ask a person first
   * @returns the answer without its length; undefined if no agent answers
   */
  async ask(message: Buffer, patience?: number): Promise<Buffer | undefined> {
    if (this.#isGone) return undefined;
    const answer = this.#exchange(message);
    if (patience === undefined) return await answer;
    const inTime = await within(patience, answer);
    if (inTime === undefined) this.end();
    return inTime;
  }

  end(): void {
    this.#isGone = true;
    this.#socket?.destroy();
    this.#settle?.(undefined);
    this.#settle = undefined;
  }

  async #exchange(message: Buffer): Promise<Buffer | undefined> {
    return await new Promise((resolve) => {
      this.#settle = resolve;
      const framed = string(message);
      message.fill(0);
      this.#open().write(framed, () => framed.fill(0));
    });
  }

  #open(): Socket {
    if (this.#socket) return this.#socket;
    const socket = createConnection({ path: this.#path ?? '' });
    const reader = new MessageReader();
    const end = (): void => {
      this.end();
    };
    socket.on('error', end).on('close', end);
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const answer of reader.push(chunk)) this.#answered(answer);
      } catch {
        this.end(); // It does not speak the protocol.
      }
    });
    this.#socket = socket;
    return socket;
  }

  #answered(answer: Buffer): void {
    if (!this.#settle) throw new RangeError('an answer that nobody asked for');
    this.#settle(answer);
    this.#settle = undefined;
  }
}
