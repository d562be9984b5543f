/**
 * Tests numbers, waits and windows; and a link that loses, doubles and reorders messages, with an agent that
 * acknowledges once.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../support/aws/session-manager/random.ts';
import { Inbound, Outbound } from '../../../src/ec2/session-manager/reliability.ts';

const frame = (sequence: number): Buffer => Buffer.from(String(sequence));
const numbers = (frames: Buffer[]): number[] => frames.map(Number);

/** With this number of messages, sent as far as the limit allows. */
function outboundWith(count: number, now = 0): Outbound {
  const outbound = new Outbound();
  for (let sequence = 0; sequence < count; sequence++) outbound.add(frame(sequence));
  sendAll(outbound, now);
  return outbound;
}

function sendAll(outbound: Outbound, now: number): number[] {
  const frames: Buffer[] = [];
  for (let next = outbound.takeHeld(now); next; next = outbound.takeHeld(now)) frames.push(next);
  return numbers(frames);
}

describe('messages to the agent', () => {
  it('wait 200 ms for their first acknowledgement, then as long as earlier acknowledgements took', () => {
    const outbound = outboundWith(4);
    expect(outbound.timeout).toBe(200);
    outbound.acknowledge(0, 100);
    expect(outbound.timeout).toBe(300); // 100 + 4 × 50
    outbound.acknowledge(1, 100);
    expect(outbound.timeout).toBe(250); // 100 + 4 × 37.5
    outbound.acknowledge(2, 180);
    // Variation 37.5 + (80 − 37.5) / 4 = 48.125, mean 100 + 80 / 8 = 110.
    expect(outbound.timeout).toBe(302.5);
  });

  it('wait at least 10 ms longer than acknowledgements take, and at most a second', () => {
    const quick = outboundWith(1);
    quick.acknowledge(0, 0);
    expect(quick.timeout).toBe(10);
    const slow = outboundWith(1);
    slow.acknowledge(0, 5_000);
    expect(slow.timeout).toBe(1_000);
  });

  it('are sent again one at a time, the oldest, after twice the wait each time up to a second', () => {
    const outbound = outboundWith(3);
    const sent = [];
    for (let now = 0; now <= 4_000; now += 10)
      for (const again of numbers(outbound.due(now))) sent.push([again, now]);
    expect(sent).toEqual([
      [0, 200],
      [0, 600],
      [0, 1_400],
      [0, 2_400],
      [0, 3_400],
    ]);
  });

  it('are sent again together if later ones have arrived', () => {
    const outbound = outboundWith(5);
    outbound.acknowledge(4, 100);
    expect(outbound.deadline).toBe(300);
    expect(numbers(outbound.due(299))).toEqual([]);
    expect(numbers(outbound.due(300))).toEqual([0, 1, 2, 3]);
  });

  it('give no round trip time if they were sent twice (Karn)', () => {
    const outbound = outboundWith(1);
    outbound.due(200);
    outbound.acknowledge(0, 201);
    expect(outbound.timeout).toBe(200);
  });

  it('are limited to the window, and on a new socket to fewer', () => {
    const outbound = new Outbound();
    while (!outbound.isFull) outbound.add(frame(outbound.next));
    expect(outbound.next).toBe(1_000);
    expect(sendAll(outbound, 0)).toHaveLength(64);
    for (let sequence = 0; sequence < 10; sequence++) outbound.acknowledge(sequence, 1);
    expect(sendAll(outbound, 1)).toHaveLength(20);
    expect(outbound.isFull).toBe(false);
  });

  it('are all sent over a new socket, in order, and those that were lost twice come last', () => {
    const outbound = outboundWith(4);
    outbound.acknowledge(1, 10);
    outbound.resume();
    expect(sendAll(outbound, 20)).toEqual([0, 2, 3]);
    outbound.add(frame(4));
    outbound.add(frame(5));
    outbound.resume();
    // The last two were never sent.
    expect(sendAll(outbound, 30)).toEqual([4, 5, 0, 2, 3]);
  });

  it('continue over a new socket without acknowledgements: the agent may have received all', () => {
    const outbound = outboundWith(300);
    outbound.resume();
    expect(sendAll(outbound, 0)).toHaveLength(64);
    expect(outbound.deadline).toBe(200);
    outbound.due(200);
    expect(sendAll(outbound, 200)).toHaveLength(64);
    outbound.due(400);
    expect(sendAll(outbound, 400)).toHaveLength(128);
  });

  it('that are never acknowledged do not block others, and are still sent more and more rarely', () => {
    const outbound = outboundWith(1);
    const sent: number[] = [];
    for (let now = 0; now < 200_000; now += 10) {
      outbound.add(frame(outbound.next));
      sendAll(outbound, now);
      outbound.acknowledge(outbound.next - 1, now);
      if (outbound.due(now).length > 0) sent.push(now);
    }
    expect(outbound.isDrained).toBe(true);
    expect(outbound.kept).toBe(1);
    const waits = sent.slice(1).map((now, place) => now - (sent[place] ?? 0));
    expect(waits.slice(-4)).toEqual([16_000, 32_000, 60_000, 60_000]);
    expect(outbound.acknowledge(0, 200_000)).toBe(true);
    expect(outbound.kept).toBe(0);
  });

  it('are not acknowledged before they are sent, nor twice', () => {
    const outbound = outboundWith(1);
    outbound.add(frame(1));
    expect(outbound.acknowledge(7, 1)).toBe(false);
    expect(outbound.acknowledge(1, 1)).toBe(false);
    expect(outbound.acknowledge(0, 1)).toBe(true);
    expect(outbound.acknowledge(0, 1)).toBe(false);
  });
});

interface Message {
  readonly payload: Buffer;
}
const message = (text: string): Message => ({ payload: Buffer.from(text) });
const same = (one: Message): Message => one;

describe('messages from the agent', () => {
  it('are put in order; early and late ones are acknowledged', () => {
    const inbound = new Inbound<Message>();
    const [zero, one, two] = [message('0'), message('1'), message('2')];
    expect(inbound.accept(1, one, same)).toEqual({ acknowledge: true, ready: [] });
    expect(inbound.accept(1, one, same)).toEqual({ acknowledge: true, ready: [] });
    expect(inbound.accept(2, two, same)).toEqual({ acknowledge: true, ready: [] });
    expect(inbound.early).toBe(2);
    expect(inbound.accept(0, zero, same)).toEqual({ acknowledge: true, ready: [zero, one, two] });
    expect(inbound.accept(0, zero, same)).toEqual({ acknowledge: true, ready: [] });
    expect(inbound.early).toBe(0);
  });

  it('are not acknowledged if there is no room, and the expected one always has room', () => {
    const inbound = new Inbound<Message>();
    for (let sequence = 1; sequence <= 10_000; sequence++) inbound.accept(sequence, message(''), same);
    expect(inbound.accept(10_001, message(''), same)).toEqual({ acknowledge: false, ready: [] });
    expect(inbound.accept(0, message(''), same).ready).toHaveLength(10_001);
  });

  it('are also limited by their size', () => {
    const inbound = new Inbound<Message>();
    const large = { payload: Buffer.alloc(6_000_000) };
    expect(inbound.accept(1, large, same).acknowledge).toBe(true);
    expect(inbound.accept(2, large, same).acknowledge).toBe(false);
    inbound.accept(0, message(''), same);
    expect(inbound.accept(3, large, same).acknowledge).toBe(true);
  });
});

/** An agent behind a bad link: like the real one, it acknowledges no message twice. */
function carry(
  count: number,
  chances: { lose: number; double: number; shuffle: number },
  random: () => number,
): number[] {
  const outbound = new Outbound();
  const inbound = new Inbound<Message>();
  const received: number[] = [];
  const known = new Set<number>();
  let way: Buffer[] = [];
  const put = (sent: Buffer): void => {
    if (random() < chances.lose) return;
    way.splice(random() < chances.shuffle ? Math.floor(random() * way.length) : way.length, 0, sent);
    if (random() < chances.double) way.push(sent);
  };
  for (let now = 0; received.length < count; now += 10) {
    if (now > 1_000_000) throw new Error(`only ${received.length} of ${count} have come`);
    while (outbound.next < count && !outbound.isFull) outbound.add(frame(outbound.next));
    for (let next = outbound.takeHeld(now); next; next = outbound.takeHeld(now)) put(next);
    outbound.due(now).forEach(put);
    for (const sent of way.splice(0)) {
      const sequence = Number(sent);
      const { ready } = inbound.accept(sequence, { payload: sent }, same);
      for (const { payload } of ready) received.push(Number(payload));
      if (!known.has(sequence) && random() >= chances.lose) outbound.acknowledge(sequence, now);
      known.add(sequence);
    }
    if (random() < 0.01) {
      way = [];
      outbound.resume();
    }
  }
  return received;
}

describe('over a link that loses, doubles and reorders messages, with lost sockets', () => {
  it('every message arrives, once and in order', () => {
    const chance = fc.double({ min: 0, max: 0.4, noNaN: true });
    const chances = fc.record({ lose: chance, double: chance, shuffle: chance });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_500 }), chances, fc.integer(), (count, odds, seed) => {
        expect(carry(count, odds, seededRandom(seed))).toEqual(
          Array.from({ length: count }, (_, place) => place),
        );
      }),
      { numRuns: 8 },
    );
  });
});
