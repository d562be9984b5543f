/** The agent's TCP connection to a port of its instance, at the pace of the slower side. */
import { connect, type Socket } from 'node:net';

export interface PortConnectionInput {
  readonly address: { readonly host: string; readonly port: number };
  /** Milliseconds between payloads; 0: no pause. */
  readonly pace: number;
  readonly mayRead: () => boolean;
  /** At most 1,024 bytes. */
  readonly read: (payload: Buffer, gone: () => void) => void;
  /** The port accepts no more data for now. */
  readonly full: () => void;
  readonly drained: () => void;
  /** Refused, ended or broken. Everything that was read has been passed on. */
  readonly closed: () => void;
}

const payloadSize = 1024;
/** Limit of bytes on their way to the client; above it, reading pauses. */
const mostUnderway = 256 * 1024;

export class PortConnection {
  readonly #input: PortConnectionInput;
  readonly #socket: Socket;
  #connected = false;
  #closed = false;
  #underway = 0;
  #pumping = false;
  #ended = false;

  constructor(input: PortConnectionInput) {
    this.#input = input;
    this.#socket = connect({ ...input.address, noDelay: true, allowHalfOpen: true });
    this.#socket.unref();
    this.#socket.on('connect', () => (this.#connected = true));
    this.#socket.on('readable', () => void this.#pump());
    this.#socket.on('drain', input.drained);
    this.#socket.on('end', () => {
      this.#ended = true;
      void this.#pump();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#ended = true;
      void this.#pump();
    });
  }

  get connected(): boolean {
    return this.#connected;
  }

  write(bytes: Buffer): void {
    if (!this.#closed && !this.#socket.write(bytes)) this.#input.full();
  }

  /** Call it when `mayRead` becomes true. */
  resume(): void {
    void this.#pump();
  }

  /** Written data still arrives. */
  close(): void {
    this.#closed = true;
    this.#socket.destroySoon();
    this.#input.drained();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let payload = this.#take(); payload !== undefined; payload = this.#take()) {
      this.#pass(payload);
      if (this.#input.pace > 0) await new Promise((resolve) => setTimeout(resolve, this.#input.pace).unref());
    }
    this.#pumping = false;
    const empty = this.#socket.readableLength === 0 || this.#socket.destroyed;
    if (this.#ended && empty && !this.#closed) this.#input.closed();
  }

  #take(): Buffer | undefined {
    if (this.#closed || this.#underway >= mostUnderway || !this.#input.mayRead()) return undefined;
    const length = Math.min(payloadSize, this.#socket.readableLength);
    // A read without data requests more, and triggers the end event.
    const payload = this.#socket.read(length) as Buffer | null;
    return length === 0 || payload === null ? undefined : payload;
  }

  #pass(payload: Buffer): void {
    this.#underway += payload.length;
    let underway = payload.length;
    // A repeated frame is read twice.
    this.#input.read(payload, () => {
      this.#underway -= underway;
      underway = 0;
      if (this.#underway < mostUnderway / 2) void this.#pump();
    });
  }
}
