/** Faults between a client and an agent, reproducible by the seed. */
import { seededRandom } from './random.ts';

/** One number for both directions, or one for each. */
export type BothWays = number | { readonly toAgent?: number; readonly toClient?: number };

/** Probabilities are from 0 to 1 for each frame, times in milliseconds. Absent: never. */
export interface SessionFaults {
  /** Default: 1. */
  readonly seed?: number;
  /** Probabilities for frames with data, including the handshake. */
  readonly drop?: BothWays;
  readonly duplicate?: BothWays;
  /** Arrives after up to four later ones. */
  readonly reorder?: BothWays;
  /** The probability that an acknowledgement is lost. `toClient`: one of the agent's, which it never repeats. */
  readonly lostAcknowledgements?: BothWays;
  /** Delays every frame by this time. */
  readonly delay?: BothWays;
  /** Cuts the socket (1006) whenever this number of bytes has passed, in both directions together. */
  readonly cutAfterBytes?: number;
  /** The same for each direction separately, with a reset (RST): data in the client's buffers is lost, too. */
  readonly resetAfterBytes?: BothWays;
  /** Cuts the socket at this age. */
  readonly closeEvery?: number;
  /**
   * The service asks both sides to pause, after each `every`, for the time `for`; data that they send meanwhile is
   * lost.
   */
  readonly pause?: { readonly every: number; readonly for: number };
  /** Once for each socket: after this number of bytes nothing moves for a time, and no ping is answered. */
  readonly stall?: { readonly afterBytes: number; readonly for: number };
  /** Cuts a socket on which the client sends nothing for this time, not even a ping. */
  readonly idleLimit?: number;
  /** The duration of TerminateSession. */
  readonly terminateDelay?: number;
}

export type Direction = 'toAgent' | 'toClient';

export function amount(value: BothWays | undefined, direction: Direction): number {
  return typeof value === 'object' ? (value[direction] ?? 0) : (value ?? 0);
}

interface Held {
  readonly deliver: () => void;
  /** Number of frames that may still overtake it. */
  left: number;
}

/** Milliseconds after which a held frame arrives even if no other frames follow. */
const longestHold = 30;

/** One direction of a session, with its faults. */
export class FaultyLink {
  readonly #faults: () => SessionFaults;
  readonly #direction: Direction;
  readonly #random: () => number;
  #held: Held[] = [];

  /** @param session index of the session, so that sessions have different faults */
  constructor(faults: () => SessionFaults, direction: Direction, session: number) {
    this.#faults = faults;
    this.#direction = direction;
    this.#random = seededRandom(
      (faults().seed ?? 1) * 7919 + session * 2 + (direction === 'toAgent' ? 0 : 1),
    );
  }

  /** Delivers the frame once, twice, later or never; in the last case it calls `lost`. */
  pass(kind: 'data' | 'acknowledgement', deliver: () => void, lost: () => void = () => undefined): void {
    // Always takes the same number of random values, so that one fault's probability does not change another fault.
    const [dropped, doubled, late, places] = [this.#random(), this.#random(), this.#random(), this.#random()];
    const chance = (name: 'drop' | 'duplicate' | 'reorder' | 'lostAcknowledgements'): number =>
      amount(this.#faults()[name], this.#direction);
    if (dropped < chance(kind === 'data' ? 'drop' : 'lostAcknowledgements')) {
      lost();
      return;
    }
    if (kind === 'data' && late < chance('reorder')) this.#hold(deliver, 1 + Math.floor(places * 4));
    else this.#release(deliver);
    if (kind === 'data' && doubled < chance('duplicate')) this.#release(deliver);
  }

  #hold(deliver: () => void, left: number): void {
    const held = { deliver, left };
    this.#held.push(held);
    setTimeout(() => {
      if (this.#held.includes(held)) this.#letGo([held]);
    }, longestHold).unref();
  }

  #release(deliver: () => void): void {
    this.#later(deliver);
    for (const held of this.#held) held.left -= 1;
    this.#letGo(this.#held.filter(({ left }) => left <= 0));
  }

  #letGo(gone: readonly Held[]): void {
    this.#held = this.#held.filter((held) => !gone.includes(held));
    for (const { deliver } of gone) this.#later(deliver);
  }

  #later(deliver: () => void): void {
    const delay = amount(this.#faults().delay, this.#direction);
    if (delay > 0) setTimeout(deliver, delay).unref();
    else deliver();
  }
}
