/**
 * Delivers every message once and in order over an unreliable channel. Pure: time is a parameter, in milliseconds.
 *
 * The agent acknowledges each message separately. It silently refuses some until it has its connection, and does not
 * acknowledge a repeated message again. So a lost acknowledgement leaves a message unacknowledged for ever. Such a
 * message is kept, sent again more and more rarely, and does not block the others.
 *
 * @source amazon-ssm-agent, agent/session/datachannel/datachannel.go
 */

/** Limit of unacknowledged messages of 1 KiB. This is the only flow control. */
const windowSize = 1_000;
/** The limit on a new socket. Each acknowledgement raises it by one. */
const firstFlight = 64;
/** Limit of additional messages with a lost acknowledgement (stranded messages). */
const strandedLimit = 8_192;
/** A message counts as stranded after this number of sends, if later messages were acknowledged each time. */
const strandedAfter = 4;
/** Stranded messages that are sent again at the same time. */
const strandedAtOnce = 32;
const longestStrandedWait = 60_000;

/** The time limit for an acknowledgement, from earlier round trips (RFC 6298, with the agent's constants). */
class RoundTrip {
  #mean: number | undefined;
  #variation = 0;
  timeout = 200;

  sample(time: number): void {
    if (this.#mean === undefined) {
      this.#mean = time;
      this.#variation = time / 2;
    } else {
      this.#variation += (Math.abs(this.#mean - time) - this.#variation) / 4;
      this.#mean += (time - this.#mean) / 8;
    }
    this.timeout = Math.min(this.#mean + Math.max(10, 4 * this.#variation), longestTimeout);
  }
}

const longestTimeout = 1_000;

interface Sent {
  readonly frame: Buffer;
  readonly sequence: number;
  sentAt: number;
  /** Sends on this socket. Each one doubles the wait. 0: not sent yet. */
  tries: number;
  /** Sends on all sockets. The acknowledgement of a repeated message gives no round trip time (Karn's algorithm). */
  sends: number;
  /** Its position among all sends. */
  order: number;
}

/** Messages to the agent, kept until they are acknowledged. */
export class Outbound {
  /** In the order of the sequence numbers. */
  readonly #window = new Map<number, Sent>();
  /** Messages of the window that are not sent yet, in order. */
  readonly #held = new Set<Sent>();
  readonly #stranded = new Map<number, Sent>();
  readonly #roundTrip = new RoundTrip();
  #next = 0;
  #order = 0;
  #acknowledgedOrder = -1;
  /** Current limit of unacknowledged messages. */
  #allowed = firstFlight;
  /** Time to raise the limit without an acknowledgement: perhaps the agent has received everything. */
  #allowMoreAt = 0;

  /** The sequence number of the next message. */
  get next(): number {
    return this.#next;
  }

  get isFull(): boolean {
    return this.#window.size >= windowSize;
  }

  /** Whether only stranded messages are left. */
  get isDrained(): boolean {
    return this.#window.size === 0;
  }

  /** Number of kept messages. */
  get kept(): number {
    return this.#window.size + this.#stranded.size;
  }

  /** Milliseconds until an unacknowledged message is sent again. */
  get timeout(): number {
    return this.#roundTrip.timeout;
  }

  /** Keeps the frame of message `next`. takeHeld returns it later. */
  add(frame: Buffer): void {
    const message = { frame, sequence: this.#next++, sentAt: 0, tries: 0, sends: 0, order: 0 };
    this.#window.set(message.sequence, message);
    this.#held.add(message);
  }

  /** Keeps the frame of message `next` as already sent, outside of the limits. */
  addSent(frame: Buffer, now: number): void {
    const message = { frame, sequence: this.#next++, sentAt: 0, tries: 0, sends: 0, order: 0 };
    this.#window.set(message.sequence, message);
    this.#send(message, now);
  }

  /** Whether a message was never sent on any socket. */
  get hasUnsent(): boolean {
    for (const { sends } of this.#held) if (sends === 0) return true;
    return false;
  }

  /** Returns the next frame to send and counts it as sent; undefined if there is none, or the limit is reached. */
  takeHeld(now: number): Buffer | undefined {
    if (this.#window.size - this.#held.size >= this.#allowed) return undefined;
    this.#allowMoreAt = now + this.timeout;
    for (const message of this.#held) {
      this.#send(message, now);
      return message.frame;
    }
    return undefined;
  }

  /**
   * Holds all messages again for a new socket, because the old one may have lost them. Messages that were sent on
   * several sockets come last: the agent probably has them, and this socket may fail, too.
   */
  resume(): void {
    const rank = ({ sends }: Sent): number => Math.max(sends, 1);
    const messages = [...this.#window.values()];
    messages.sort((one, other) => rank(one) - rank(other) || one.sequence - other.sequence);
    this.#allowed = firstFlight;
    this.#held.clear();
    for (const message of messages) {
      message.tries = 0;
      this.#held.add(message);
    }
  }

  /** @returns whether the message was waiting for an acknowledgement */
  acknowledge(sequence: number, now: number): boolean {
    const message = this.#window.get(sequence) ?? this.#stranded.get(sequence);
    // A message that was never sent cannot be acknowledged.
    if (!message || message.sends === 0) return false;
    this.#window.delete(sequence);
    this.#stranded.delete(sequence);
    this.#held.delete(message);
    if (message.sends === 1 && message.tries === 1) this.#roundTrip.sample(now - message.sentAt);
    this.#acknowledgedOrder = Math.max(this.#acknowledgedOrder, message.order);
    this.#allowed = Math.min(this.#allowed + 1, windowSize);
    this.#allowMoreAt = now + this.timeout;
    return true;
  }

  /** The earliest time at which `due` has work; undefined if nothing is waiting. */
  get deadline(): number | undefined {
    const oldest = this.#oldest;
    let earliest = oldest ? this.#dueAt(oldest) : Infinity;
    if (oldest && this.#held.size > 0) earliest = Math.min(earliest, this.#allowMoreAt);
    for (const message of this.#stranded.values()) earliest = Math.min(earliest, strandedDueAt(message));
    return earliest === Infinity ? undefined : earliest;
  }

  /**
   * Returns the frames to send again: the oldest if it is late, and messages that later ones have overtaken. It may
   * also raise the limit of takeHeld.
   */
  due(now: number): Buffer[] {
    if (this.#held.size > 0 && now >= this.#allowMoreAt) this.#allowMore(now);
    const frames = this.#dueStranded(now);
    const oldest = this.#oldest;
    for (const message of this.#window.values()) {
      const overtaken = message.order < this.#acknowledgedOrder;
      if (message.tries === 0 || (message !== oldest && !overtaken) || this.#dueAt(message) > now) continue;
      if (overtaken && this.#strand(message)) continue;
      this.#send(message, now);
      frames.push(message.frame);
    }
    return frames;
  }

  #allowMore(now: number): void {
    this.#allowed = Math.min(2 * this.#allowed, windowSize);
    this.#allowMoreAt = now + this.timeout;
  }

  /** The oldest of the sent messages. */
  get #oldest(): Sent | undefined {
    for (const message of this.#window.values()) if (message.tries > 0) return message;
    return undefined;
  }

  #send(message: Sent, now: number): void {
    this.#held.delete(message);
    message.tries++;
    message.sends++;
    message.sentAt = now;
    message.order = this.#order++;
  }

  /** Marks the message as stranded if later ones have arrived. If it has not arrived, it is sent again later. */
  #strand(message: Sent): boolean {
    const { tries, sends, sequence } = message;
    const suspect = tries >= strandedAfter || sends > tries;
    if (!suspect || this.#stranded.size >= strandedLimit) return false;
    message.tries = 1;
    this.#window.delete(sequence);
    this.#stranded.set(sequence, message);
    return true;
  }

  #dueStranded(now: number): Buffer[] {
    const frames: Buffer[] = [];
    for (const message of this.#stranded.values()) {
      if (frames.length === strandedAtOnce) break;
      if (strandedDueAt(message) > now) continue;
      this.#send(message, now);
      frames.push(message.frame);
    }
    return frames;
  }

  #dueAt({ sentAt, tries }: Sent): number {
    return sentAt + Math.min(this.timeout * 2 ** (tries - 1), longestTimeout);
  }
}

function strandedDueAt({ sentAt, tries }: Sent): number {
  return sentAt + Math.min(longestTimeout * 2 ** (tries - 1), longestStrandedWait);
}

/** Limit of early messages. @source session-manager-plugin: IncomingMessageBufferCapacity */
const earlyLimit = 10_000;
/** Limit of their bytes: the same number of full agent messages. */
const earlyBytesLimit = 10_000 * 1_024;

/** Puts the agent's messages in order. */
export class Inbound<T extends { readonly payload: Buffer }> {
  readonly #early = new Map<number, T>();
  #earlyBytes = 0;
  #expected = 0;

  /** Messages that wait for an earlier one. */
  get early(): number {
    return this.#early.size;
  }

  /**
   * @param keep returns the part of an early message to keep
   * @returns the messages that are next in order, if any; and whether to acknowledge this message: yes for a repeated
   *   one, because its acknowledgement may be lost, and no if there is no room for it
   */
  accept(sequence: number, message: T, keep: (message: T) => T): { acknowledge: boolean; ready: T[] } {
    if (sequence < this.#expected || this.#early.has(sequence)) return { acknowledge: true, ready: [] };
    if (sequence > this.#expected) return { acknowledge: this.#keep(sequence, message, keep), ready: [] };
    const ready = [message];
    this.#expected++;
    if (this.#early.size > 0) ready.push(...this.#follow());
    return { acknowledge: true, ready };
  }

  #keep(sequence: number, message: T, keep: (message: T) => T): boolean {
    const bytes = this.#earlyBytes + message.payload.length;
    if (this.#early.size >= earlyLimit || bytes > earlyBytesLimit) return false;
    this.#earlyBytes = bytes;
    this.#early.set(sequence, keep(message));
    return true;
  }

  #follow(): T[] {
    const ready: T[] = [];
    for (let next = this.#early.get(this.#expected); next; next = this.#early.get(this.#expected)) {
      ready.push(next);
      this.#earlyBytes -= next.payload.length;
      this.#early.delete(this.#expected++);
    }
    return ready;
  }
}
