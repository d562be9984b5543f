/** When messages to the agent are due, and what an acknowledgement ends: the edges of reliability.test.ts. */
import { describe, expect, it } from '@jest/globals';
import { Outbound } from '../../../src/ec2/session-manager/reliability.ts';

const numbers = (frames: Buffer[]): number[] => frames.map(Number);

function add(outbound: Outbound, count = 1): void {
  for (let more = 0; more < count; more++) outbound.add(Buffer.from(String(outbound.next)));
}

function sendAll(outbound: Outbound, now: number): number[] {
  const frames: Buffer[] = [];
  for (let next = outbound.takeHeld(now); next; next = outbound.takeHeld(now)) frames.push(next);
  return numbers(frames);
}

function sent(count: number, now = 0): Outbound {
  const outbound = new Outbound();
  add(outbound, count);
  sendAll(outbound, now);
  return outbound;
}

describe('a message', () => {
  it('is unsent until its first send, and not again for a new socket', () => {
    const outbound = new Outbound();
    expect(outbound.hasUnsent).toBe(false);
    add(outbound);
    expect(outbound.hasUnsent).toBe(true);
    sendAll(outbound, 0);
    expect(outbound.hasUnsent).toBe(false);
    outbound.resume();
    expect(outbound.hasUnsent).toBe(false);
  });

  it('gives no time of a round trip if it was sent twice', () => {
    const again = sent(1);
    again.due(200);
    again.acknowledge(0, 250);
    expect(again.timeout).toBe(200);
    const resumed = sent(1);
    resumed.resume();
    sendAll(resumed, 500);
    resumed.acknowledge(0, 510);
    expect(resumed.timeout).toBe(200);
  });

  it('gives the time since its send', () => {
    const outbound = sent(1, 1_000);
    outbound.acknowledge(0, 1_100);
    expect(outbound.timeout).toBe(300);
  });

  it('that is acknowledged is not sent on a new socket', () => {
    const outbound = sent(2);
    outbound.resume();
    expect(outbound.acknowledge(0, 10)).toBe(true);
    expect(sendAll(outbound, 20)).toEqual([1]);
  });
});

describe('the next moment with work', () => {
  it('is none without messages, and the end of the wait with one', () => {
    expect(new Outbound().deadline).toBeUndefined();
    expect(sent(1, 50).deadline).toBe(250);
    const outbound = sent(1);
    outbound.acknowledge(0, 10);
    expect(outbound.deadline).toBeUndefined();
  });

  it('is none while no message was sent', () => {
    const outbound = new Outbound();
    add(outbound);
    expect(outbound.deadline).toBeUndefined();
  });

  it('is earlier if messages wait for a higher limit', () => {
    const [full, more] = [sent(64), sent(65)];
    for (const outbound of [full, more]) expect(numbers(outbound.due(200))).toEqual([0]);
    expect(full.deadline).toBe(600);
    expect(more.deadline).toBe(400);
  });
});

describe('the limit', () => {
  it('rises when the wait is over, and not before', () => {
    const outbound = sent(65);
    outbound.due(199);
    expect(sendAll(outbound, 199)).toEqual([]);
    outbound.due(200);
    expect(sendAll(outbound, 200)).toEqual([64]);
  });

  it('does not rise if no message waits for it', () => {
    const outbound = sent(64);
    outbound.due(200);
    add(outbound);
    expect(sendAll(outbound, 210)).toEqual([]);
  });

  it('rises by one with each acknowledgement', () => {
    const outbound = sent(70);
    outbound.acknowledge(0, 100);
    expect(sendAll(outbound, 150)).toEqual([64, 65]);
    outbound.acknowledge(1, 160);
    expect(sendAll(outbound, 170)).toEqual([66, 67]);
  });
});

describe('a message whose acknowledgement was lost', () => {
  /** Message 0 is overtaken each time that it is sent. */
  function stranded(): { outbound: Outbound; now: number } {
    const outbound = sent(1);
    let now = 0;
    while (!outbound.isDrained) {
      now += 2_000;
      add(outbound);
      sendAll(outbound, now);
      outbound.acknowledge(outbound.next - 1, now);
      outbound.due(now + 1_000);
      if (now > 20_000) throw new Error('it does not strand');
    }
    return { outbound, now };
  }

  it('no longer blocks the others after four sends', () => {
    const { outbound, now } = stranded();
    expect(outbound.kept).toBe(1);
    expect(now).toBe(8_000);
  });

  it('is sent again more and more rarely', () => {
    const { outbound } = stranded();
    const times: number[] = [];
    for (let count = 0; count < 9; count++) {
      const at = outbound.deadline ?? 0;
      expect(outbound.due(at - 1)).toEqual([]);
      expect(numbers(outbound.due(at))).toEqual([0]);
      times.push(at);
    }
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('is forgotten once it is acknowledged', () => {
    const { outbound } = stranded();
    expect(outbound.acknowledge(0, 30_000)).toBe(true);
    expect(outbound.kept).toBe(0);
    expect(outbound.deadline).toBeUndefined();
  });
});
