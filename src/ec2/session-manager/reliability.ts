/**
 * Every message arrives once and in order, whatever happens to the frames. Pure: time is a parameter, in milliseconds.
 *
 * The agent acknowledges each message by itself, refuses some without a word until it has its connection, and does not
 * acknowledge again what it has had already. So a lost acknowledgement leaves a message unacknowledged for ever: it is kept
 * and sent again ever more rarely, and no longer holds up the others.
 *
 * @source amazon-ssm-agent, agent/session/datachannel/datachannel.go
 */

/** Unacknowledged messages at a time, 1 KiB each: the only flow control that there is. */
const windowSize = 1_000;
/** Of them, on a new socket before it has proved itself; each acknowledgement allows one more. */
const firstFlight = 64;
/** Beyond the window, of messages whose acknowledgement seems lost. */
const strandedLimit = 8_192;
/** Sent so often, with later ones acknowledged each time, a message counts as stranded. */
const strandedAfter = 4;
/** Of them, sent again at a time. */
const strandedAtOnce = 32;
const longestStrandedWait = 60_000;

/** How long an acknowledgement may take, from how long the others took (RFC 6298, with the agent's constants). */
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
  /** On this socket: doubles the wait. 0: it has yet to be sent. */
  tries: number;
  /** On all sockets. An acknowledgement of what was sent twice says nothing about time (Karn). */
  sends: number;
  /** Its place among all sends. */
  order: number;
}

/** Messages on their way to the agent, kept until they are acknowledged. */
export class Outbound {
  /** In the order of their numbers. */
  readonly #window = new Map<number, Sent>();
  /** Those of the window that have yet to be sent, in the order in which they will be. */
  readonly #held = new Set<Sent>();
  readonly #stranded = new Map<number, Sent>();
  readonly #roundTrip = new RoundTrip();
  #next = 0;
  #order = 0;
  #acknowledgedOrder = -1;
  /** How many may be on the way. */
  #allowed = firstFlight;
  /** When to allow more although nothing is acknowledged: perhaps the agent has had it all. */
  #allowMoreAt = 0;

  /** The number that the next message gets. */
  get next(): number {
    return this.#next;
  }

  get isFull(): boolean {
    return this.#window.size >= windowSize;
  }

  /** Nothing is waited for, but what seems to have arrived unacknowledged. */
  get isDrained(): boolean {
    return this.#window.size === 0;
  }

  /** What is kept, in messages. */
  get kept(): number {
    return this.#window.size + this.#stranded.size;
  }

  /** Milliseconds that an acknowledgement may take. */
  get timeout(): number {
    return this.#roundTrip.timeout;
  }

  /** Keeps the frame of the message `next`, which takeHeld gives when its turn has come. */
  add(frame: Buffer): void {
    const message = { frame, sequence: this.#next++, sentAt: 0, tries: 0, sends: 0, order: 0 };
    this.#window.set(message.sequence, message);
    this.#held.add(message);
  }

  /** Keeps the frame of the message `next` as sent, whatever waits or is on the way. */
  addSent(frame: Buffer, now: number): void {
    const message = { frame, sequence: this.#next++, sentAt: 0, tries: 0, sends: 0, order: 0 };
    this.#window.set(message.sequence, message);
    this.#send(message, now);
  }

  /** Whether a message waits that was never sent, on no socket. */
  get hasUnsent(): boolean {
    for (const { sends } of this.#held) if (sends === 0) return true;
    return false;
  }

  /** The next frame to be sent, and from now on as sent; undefined where there is none, or enough is on the way. */
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
   * Holds everything again, for a new socket: what the old one carried may be lost. What was sent on several comes last:
   * the agent may have it, and this one may not last either.
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

  /** @returns whether the message was waited for */
  acknowledge(sequence: number, now: number): boolean {
    const message = this.#window.get(sequence) ?? this.#stranded.get(sequence);
    // What was never sent cannot have come.
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

  /** When due has something to say at the earliest; undefined where nothing is waited for. */
  get deadline(): number | undefined {
    const oldest = this.#oldest;
    let earliest = oldest ? this.#dueAt(oldest) : Infinity;
    if (oldest && this.#held.size > 0) earliest = Math.min(earliest, this.#allowMoreAt);
    for (const message of this.#stranded.values()) earliest = Math.min(earliest, strandedDueAt(message));
    return earliest === Infinity ? undefined : earliest;
  }

  /**
   * The frames to send again: the oldest when it is late, and of the others those that later ones have overtaken. May
   * allow takeHeld more as well.
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

  /** Of those that were sent. */
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

  /** Later ones have arrived. If this one has not, now or over a socket before this one, it comes in its time. */
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

/** Early messages that are kept. @source session-manager-plugin: IncomingMessageBufferCapacity */
const earlyLimit = 10_000;
/** Bytes in them: as many as the agent's messages have. */
const earlyBytesLimit = 10_000 * 1_024;

/** Messages from the agent, put in order. */
export class Inbound<T extends { readonly payload: Buffer }> {
  readonly #early = new Map<number, T>();
  #earlyBytes = 0;
  #expected = 0;

  /** Messages that wait for one before them. */
  get early(): number {
    return this.#early.size;
  }

  /**
   * @param keep what to keep of a message that came early
   * @returns what is next in order, perhaps nothing; and whether the message is to be acknowledged: also one that came
   *   before, since its acknowledgement may be what was lost, and not one that there is no room for
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
