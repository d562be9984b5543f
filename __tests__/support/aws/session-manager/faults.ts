/** What can go wrong between a client and an agent; the same each time for the same seed. */
import { seededRandom } from './random.ts';

/** One number for both directions, or one for each. */
export type BothWays = number | { readonly toAgent?: number; readonly toClient?: number };

/** Chances are from 0 to 1 a frame, times in milliseconds. Absent: it does not happen. */
export interface SessionFaults {
  /** Default: 1. */
  readonly seed?: number;
  /** Chances for frames with data, the handshake's included. */
  readonly drop?: BothWays;
  readonly duplicate?: BothWays;
  /** Comes after up to four later ones. */
  readonly reorder?: BothWays;
  /** The chance that an acknowledgement is lost. `toClient`: one of the agent's, which it never repeats. */
  readonly lostAcknowledgements?: BothWays;
  /** Every frame comes that much later. */
  readonly delay?: BothWays;
  /** The socket is cut (1006) each time that so many bytes went through it, both directions together. */
  readonly cutAfterBytes?: number;
  /** As before, for each direction by itself, and by a reset (RST): what lies in the client's buffers is lost, too. */
  readonly resetAfterBytes?: BothWays;
  /** The socket is cut at this age. */
  readonly closeEvery?: number;
  /** The service bids both sides pause, each `every` so long, `for` so long; what they send meanwhile is lost. */
  readonly pause?: { readonly every: number; readonly for: number };
  /** Once a socket: after so many bytes nothing moves for so long, and no ping is answered. */
  readonly stall?: { readonly afterBytes: number; readonly for: number };
  /** A socket on which the client says nothing for so long, no ping either, is cut. */
  readonly idleLimit?: number;
  /** How long TerminateSession takes. */
  readonly terminateDelay?: number;
}

export type Direction = 'toAgent' | 'toClient';

export function amount(value: BothWays | undefined, direction: Direction): number {
  return typeof value === 'object' ? (value[direction] ?? 0) : (value ?? 0);
}

interface Held {
  readonly deliver: () => void;
  /** How many may still go before it. */
  left: number;
}

/** A frame that others never overtake for good: alone on the way it arrives after this time. Milliseconds. */
const longestHold = 30;

/** One direction of a session's way, with its faults. */
export class FaultyLink {
  readonly #faults: () => SessionFaults;
  readonly #direction: Direction;
  readonly #random: () => number;
  #held: Held[] = [];

  /** @param session counts the sessions, so that not all of them meet the same fate */
  constructor(faults: () => SessionFaults, direction: Direction, session: number) {
    this.#faults = faults;
    this.#direction = direction;
    this.#random = seededRandom(
      (faults().seed ?? 1) * 7919 + session * 2 + (direction === 'toAgent' ? 0 : 1),
    );
  }

  /** Delivers the frame once, twice, later or never; `lost` is called instead of the last. */
  pass(kind: 'data' | 'acknowledgement', deliver: () => void, lost: () => void = () => undefined): void {
    // As many numbers for each frame, whatever the faults: one fault's chance does not move another's choices.
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
