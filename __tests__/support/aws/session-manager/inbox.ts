/**
 * The agent's received messages: processed in order, early messages kept. Pure. Source: amazon-ssm-agent,
 * agent/session/datachannel (handleStreamDataMessage).
 */
import type { Frame } from './frame.ts';

/** `refused`: the agent is not ready for it, does not acknowledge it, and expects it again. */
export type Outcome = 'processed' | 'refused';

export interface InboxOwner {
  readonly process: (frame: Frame) => Outcome;
  readonly acknowledge: (frame: Frame) => void;
  /** Limit of messages that wait for an earlier one. */
  readonly capacity: number;
}

export class Inbox {
  readonly #owner: InboxOwner;
  readonly #early = new Map<number, Frame>();
  #expected = 0;

  constructor(owner: InboxOwner) {
    this.#owner = owner;
  }

  receive(frame: Frame): void {
    const { process, acknowledge, capacity } = this.#owner;
    // A repeated message is silently dropped, so a lost acknowledgement is never repeated.
    if (frame.sequence < this.#expected) return;
    if (frame.sequence > this.#expected) {
      if (this.#early.size >= capacity) return;
      acknowledge(frame);
      this.#early.set(frame.sequence, frame);
      return;
    }
    if (process(frame) === 'refused') return;
    acknowledge(frame);
    this.#advance();
    this.#processEarly();
  }

  #processEarly(): void {
    for (;;) {
      const frame = this.#early.get(this.#expected);
      if (frame === undefined || this.#owner.process(frame) === 'refused') return;
      this.#advance();
    }
  }

  #advance(): void {
    this.#early.delete(this.#expected);
    this.#expected += 1;
  }
}
