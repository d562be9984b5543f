/** The service's end of one client WebSocket: opened with a token, then frames, until it is closed or cut. */
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';

import { Violation } from './frame.ts';
import { readOpening } from './client-frames.ts';
import { amount, type Direction, type SessionFaults } from './faults.ts';

export interface ClientSocketInput {
  /** The socket below. */
  readonly transport: Pick<Socket, 'resetAndDestroy'>;
  readonly faults: () => SessionFaults;
  /** False: the token is not valid for this session. */
  readonly admit: (token: string) => boolean;
  readonly opened: () => void;
  readonly frame: (data: Buffer, isBinary: boolean) => void;
  readonly ping: () => void;
  readonly violation: (what: string) => void;
  readonly gone: () => void;
}

/** Milliseconds from the connection to the frame with the token. */
const openingLimit = 10_000;
const policyViolation = 1008;

export class ClientSocket {
  readonly #socket: WebSocket;
  readonly #input: ClientSocketInput;
  readonly #timers = new Set<NodeJS.Timeout>();
  #state: 'opening' | 'open' | 'gone' = 'opening';
  readonly #bytes = { toAgent: 0, toClient: 0 };
  #idle: NodeJS.Timeout | undefined;
  #holds = new Set<'agent' | 'stall'>();
  #stalled: (() => void)[] | undefined;
  #hasStalled = false;

  constructor(socket: WebSocket, input: ClientSocketInput) {
    this.#socket = socket;
    this.#input = input;
    socket.on('message', (data, isBinary) => {
      this.#receive(toBuffer(data), isBinary);
    });
    socket.on('ping', () => {
      this.#heard();
      input.ping();
    });
    socket.on('error', (error) => {
      input.violation(`a broken WebSocket: ${error.message}`);
    });
    socket.on('close', () => {
      this.#leave();
    });
    this.#after(openingLimit, () => {
      if (this.#state === 'opening') this.close(policyViolation);
    });
    this.#heard();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** `gone` is called when the bytes have left, or are lost. */
  send(bytes: Buffer, gone: () => void = () => undefined): void {
    if (this.#state !== 'open') {
      gone();
      return;
    }
    if (this.#stalled) {
      this.#stalled.push(() => {
        this.send(bytes, gone);
      });
      return;
    }
    this.#socket.send(bytes, gone);
    this.#count(bytes.length, 'toClient');
  }

  hold(): void {
    this.#pause('agent');
  }

  drained(): void {
    this.#resume('agent');
  }

  /** Sends a close frame; 1006 cuts the connection instead. */
  close(code: number): void {
    if (code !== 1006) {
      this.#socket.close(code);
      return;
    }
    this.#socket.terminate();
    this.#leave();
  }

  /** Sends a RST, which a client notices at its next write. Not over TLS. */
  reset(): void {
    this.#input.transport.resetAndDestroy();
    this.#leave();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#heard();
    if (this.#state === 'opening') this.#open(data, isBinary);
    else if (this.#state === 'open') this.#input.frame(data, isBinary);
    this.#count(data.length, 'toAgent');
  }

  #open(data: Buffer, isBinary: boolean): void {
    try {
      if (!this.#input.admit(readOpening(data, isBinary))) throw new Violation('a token that opens nothing');
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#input.violation(error.message);
      this.close(policyViolation);
      return;
    }
    this.#state = 'open';
    const { closeEvery } = this.#input.faults();
    if (closeEvery !== undefined) {
      this.#after(closeEvery, () => {
        this.close(1006);
      });
    }
    this.#input.opened();
  }

  #count(bytes: number, direction: Direction): void {
    this.#bytes[direction] += bytes;
    const { cutAfterBytes, resetAfterBytes, stall } = this.#input.faults();
    const all = this.#bytes.toAgent + this.#bytes.toClient;
    const resetAfter = amount(resetAfterBytes, direction);
    if (resetAfter > 0 && this.#bytes[direction] >= resetAfter) this.reset();
    if (cutAfterBytes !== undefined && all >= cutAfterBytes) this.close(1006);
    if (stall && all >= stall.afterBytes && !this.#hasStalled) this.#stall(stall.for);
  }

  #stall(milliseconds: number): void {
    this.#hasStalled = true;
    this.#stalled = [];
    this.#pause('stall');
    this.#after(milliseconds, () => {
      const waiting = this.#stalled ?? [];
      this.#stalled = undefined;
      for (const send of waiting) send();
      this.#resume('stall');
    });
  }

  #pause(why: 'agent' | 'stall'): void {
    this.#holds.add(why);
    this.#socket.pause();
  }

  #resume(why: 'agent' | 'stall'): void {
    this.#holds.delete(why);
    if (this.#holds.size === 0) this.#socket.resume();
  }

  #heard(): void {
    clearTimeout(this.#idle);
    const { idleLimit } = this.#input.faults();
    if (idleLimit === undefined || this.#state === 'gone') return;
    this.#idle = setTimeout(() => {
      this.close(1006);
    }, idleLimit).unref();
  }

  #leave(): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    clearTimeout(this.#idle);
    for (const timer of this.#timers) clearTimeout(timer);
    const waiting = this.#stalled ?? [];
    this.#stalled = undefined;
    for (const send of waiting) send();
    this.#input.gone();
  }

  #after(milliseconds: number, work: () => void): void {
    this.#timers.add(setTimeout(work, milliseconds).unref());
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
