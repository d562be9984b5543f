/** A fleet of hosts that start together and ask a service with a quota, with the product's own waits. */
import { waitWhenThrottled } from '../../src/aws/back-off.ts';

export interface Quota {
  /** Calls a second. */
  readonly rate: number;
  /** Calls that the token bucket holds. Default: one second's. */
  readonly burst?: number;
}

export interface Fleet {
  readonly hosts: number;
  /** Seconds in which they all start, evenly at random. */
  readonly within: number;
  readonly quota: Quota;
  /** Seconds that each host gives itself. */
  readonly timeout: number;
  /** Tries of one call that is throttled. */
  readonly attempts: number;
  readonly random: () => number;
  /** Milliseconds before the next try. Default: the product's. */
  readonly wait?: (tries: number, random: () => number) => number;
}

export interface Outcome {
  /** Seconds from the first start to the last key. */
  readonly served: number;
  /** Seconds that half of the hosts, and all of them, waited for their key. */
  readonly median: number;
  readonly longest: number;
  /** Hosts without a key at the end. */
  readonly failed: number;
  readonly calls: number;
  readonly mostCalls: number;
}

interface Host {
  readonly started: number;
  calls: number;
}

/** Seconds between a host's call and its answer. */
const roundTrip = 0.05;

/** AWS refuses a call if the bucket is empty, and a refused call takes nothing from it. */
export function simulate(fleet: Fleet): Outcome {
  const { hosts, within, quota, timeout, attempts, random, wait = waitWhenThrottled } = fleet;
  const { rate, burst = rate } = quota;
  const times = Array.from({ length: hosts }, () => random() * within).sort((a, b) => a - b);
  const due = new Due<Host>();
  for (const started of times) due.add(started, { started, calls: 0 });
  const waited: number[] = [];
  let [tokens, last, served, failed, calls, mostCalls] = [burst, 0, 0, 0, 0, 0];
  for (let next = due.take(); next; next = due.take()) {
    const [now, host] = next;
    tokens = Math.min(burst, tokens + (now - last) * rate);
    last = now;
    host.calls++;
    calls++;
    mostCalls = Math.max(mostCalls, host.calls);
    if (tokens >= 1) {
      tokens--;
      served = now + roundTrip;
      waited.push(served - host.started);
      continue;
    }
    const again = now + roundTrip + wait(host.calls, random) / 1000;
    if (host.calls < attempts && again + roundTrip - host.started < timeout) due.add(again, host);
    else failed++;
  }
  waited.sort((a, b) => a - b);
  const [median = NaN, longest = NaN] = [waited[waited.length >> 1], waited.at(-1)];
  return { served: served - (times[0] ?? 0), median, longest, failed, calls, mostCalls };
}

/** What is due, the earliest first: a binary heap. */
class Due<T> {
  readonly #heap: [number, T][] = [];

  add(time: number, what: T): void {
    const heap = this.#heap;
    let at = heap.push([time, what]) - 1;
    for (let up = (at - 1) >> 1; at > 0 && this.#time(up) > time; up = (at - 1) >> 1) {
      this.#swap(at, up);
      at = up;
    }
  }

  take(): [number, T] | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = this.#time(right) < this.#time(left) ? right : left;
      if (this.#time(least) >= this.#time(at)) return first;
      this.#swap(at, least);
      at = least;
    }
  }

  #time(at: number): number {
    return this.#heap[at]?.[0] ?? Infinity;
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap;
    [heap[one], heap[other]] = [heap[other] as [number, T], heap[one] as [number, T]];
  }
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
