/**
 * The agent's unacknowledged messages: it repeats only the oldest, without limit. Pure. Source: amazon-ssm-agent,
 * agent/session/datachannel (ResendStreamDataMessageScheduler, calculateRetransmissionTimeout).
 */

interface Sent {
  readonly bytes: Buffer;
  sentAt: number;
}

/** Milliseconds. */
const granularity = 10;
const longestTimeout = 1000;

export class Outbox {
  readonly #sent = new Map<number, Sent>();
  #next = 0;
  #roundTrip = 100;
  #variation = 0;
  #timeout = 200;

  get size(): number {
    return this.#sent.size;
  }

  /** The sequence number of the next message. */
  get next(): number {
    return this.#next;
  }

  add(bytes: Buffer, now: number): void {
    this.#sent.set(this.#next, { bytes, sentAt: now });
    this.#next += 1;
  }

  acknowledge(sequence: number, now: number): void {
    const message = this.#sent.get(sequence);
    if (message === undefined) return;
    this.#sent.delete(sequence);
    const taken = now - message.sentAt;
    this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#roundTrip - taken);
    this.#roundTrip = 0.875 * this.#roundTrip + 0.125 * taken;
    this.#timeout = Math.min(longestTimeout, this.#roundTrip + Math.max(granularity, 4 * this.#variation));
  }

  /** The message to repeat now, if any. Called every 100 ms. */
  overdue(now: number): Buffer | undefined {
    const [oldest] = this.#sent.values();
    if (oldest === undefined || now - oldest.sentAt <= this.#timeout) return undefined;
    oldest.sentAt = now;
    return oldest.bytes;
  }
}
