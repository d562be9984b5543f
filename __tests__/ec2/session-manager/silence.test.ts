/** An agent that acknowledges nothing any more: when the tunnel has to end, and when it must not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Channel } from '../../../src/ec2/session-manager/channel.ts';
import { Sessions } from '../../../src/ec2/session-manager/sessions.ts';
import type { Failure } from '../../../src/errors.ts';
import { REGION } from '../../support/aws/world.ts';
import { Peer } from './peer.ts';
import { startTransferWorld, type TransferWorld } from './transfer.ts';

const minute = 60_000;

/** Calls tick when it is due, like a timer, from one time to another. */
function pass(
  { conversation }: Peer,
  [from, to]: readonly [number, number],
  then?: (now: number) => void,
): void {
  let ticks = 0;
  for (let at = conversation.deadline ?? Infinity; at <= to; at = conversation.deadline ?? Infinity) {
    if (++ticks > 100_000) throw new Error('a time that is over is the next one again');
    const now = Math.max(at, from);
    conversation.tick(now);
    then?.(now);
  }
}

/** An agent that has received everything: it only acknowledges new messages, which is the question. */
function answerQuestions(peer: Peer): (now: number) => void {
  return (now) => {
    for (const { payloadType, sequence } of peer.sent.splice(0)) {
      if (payloadType === 3) peer.acknowledge(sequence, now);
    }
  };
}

describe('a conversation in which nothing is acknowledged', () => {
  it('ends after five minutes', () => {
    const peer = Peer.ready();
    peer.conversation.write(Buffer.from('hello'), 0);
    pass(peer, [0, 5 * minute - 1]);
    expect(peer.ends).toEqual([]);
    pass(peer, [0, 5 * minute]);
    expect(peer.ends).toEqual([{ kind: 'silent', milliseconds: 5 * minute }]);
  });

  it('ends after that time even if the service has paused it', () => {
    const peer = Peer.ready();
    peer.conversation.write(Buffer.from('hello'), 0);
    peer.say({ type: 'pause_publication', payloadType: 0 });
    pass(peer, [0, 5 * minute]);
    expect(peer.ends).toMatchObject([{ kind: 'silent' }]);
  });

  it('does not end while nothing waits to be acknowledged', () => {
    const peer = Peer.ready();
    peer.conversation.write(Buffer.from('hello'), 0);
    peer.acknowledge(1, 100);
    expect(peer.conversation.deadline).toBeUndefined();
  });

  it('counts from the last acknowledgement', () => {
    const peer = Peer.ready();
    peer.conversation.write(Buffer.alloc(2048), 0);
    pass(peer, [0, 4 * minute]);
    peer.acknowledge(1, 4 * minute);
    pass(peer, [4 * minute, 9 * minute - 1]);
    expect(peer.ends).toEqual([]);
    pass(peer, [4 * minute, 9 * minute]);
    expect(peer.ends).toHaveLength(1);
  });

  it('does not count the time without a socket, or an hour in which this machine was suspended', () => {
    const peer = Peer.ready();
    peer.conversation.write(Buffer.from('hello'), 0);
    pass(peer, [0, 2 * minute]);
    peer.conversation.disconnected();
    expect(peer.conversation.deadline).toBeUndefined();
    peer.conversation.connected(60 * minute);
    pass(peer, [60 * minute, 61 * minute]);
    peer.conversation.tick(120 * minute);
    pass(peer, [120 * minute, 121 * minute]);
    expect(peer.ends).toEqual([]);
    pass(peer, [121 * minute, 123 * minute]);
    expect(peer.ends).toHaveLength(1);
  });
});

describe('a lost acknowledgement, which the agent never repeats,', () => {
  it('does not end an idle conversation: a message without content is acknowledged instead', () => {
    const peer = Peer.ready();
    peer.conversation.write(Buffer.from('hello'), 0);
    pass(peer, [0, 10 * minute], answerQuestions(peer));
    expect([peer.ends, peer.conversation.isDrained]).toEqual([[], true]);
  });

  it('of every message of the window does not block for long', () => {
    const peer = Peer.ready();
    const much = Buffer.alloc(2_000_000);
    expect(peer.conversation.write(much, 0)).toBe(1_000 * 1_024);
    pass(peer, [0, 4_000]);
    peer.conversation.disconnected();
    peer.conversation.connected(4_000);
    expect(peer.conversation.write(much, 4_000)).toBe(0);
    pass(peer, [4_000, 12_000], answerQuestions(peer));
    expect(peer.conversation.write(much, 12_000)).toBeGreaterThan(500_000);
  });
});

describe('the tunnel to an agent that is gone', () => {
  let world: TransferWorld;
  beforeAll(async () => {
    world = await startTransferWorld();
  });
  afterAll(() => world.stop());

  interface Opened {
    readonly channel: Channel;
    readonly instanceId: string;
    readonly end: Promise<Failure | undefined>;
  }

  /** With an agent that counts as gone after 0.3 s, and sockets after 1.5 s. */
  async function use(work: (opened: Opened) => Promise<void>): Promise<void> {
    const instanceId = await world.launch((socket) => socket.pipe(socket));
    const target = { instanceId, port: 22, region: REGION };
    const sessions = new Sessions(target, world.caller);
    const session = await sessions.start(world.caller.signal);
    const { connection, signal } = world.caller;
    let tell: (failure: Failure | undefined) => void = () => undefined;
    const end = new Promise<Failure | undefined>((resolve) => (tell = resolve));
    const channel = new Channel({
      ...{ target, session, sessions, connection, patience: 300, resumePatience: 1_500, onEnd: tell },
      ...{ onOutput: () => undefined, onRoom: () => undefined },
    });
    try {
      await channel.ready;
      await work({ channel, instanceId, end });
    } finally {
      await channel.close();
      await sessions.terminate(session.id, signal);
      world.aws.sessions.faults = {};
    }
  }

  it('breaks with the reason and a hint', () =>
    use(async ({ channel, instanceId, end }) => {
      world.aws.sessions.faults = { drop: { toAgent: 1 } };
      channel.write(Buffer.from('hello'));
      const failure = await end;
      expect(failure).toMatchObject({
        code: 'TUNNEL_FAILED',
        message: `the SSM agent of ${instanceId} in ${REGION} acknowledged nothing for 0.3 s`,
      });
      expect(failure?.hint).toMatch(/amazon-ssm-agent.*describe-instance-information/);
    }));

  it('breaks where each new socket is closed at once, as by a proxy between', () =>
    use(async ({ channel, end, instanceId }) => {
      world.aws.sessions.faults = { closeEvery: 1 };
      world.aws.sessions.cut();
      const late = sleep(20_000, 'late', { ref: false });
      const failure = await Promise.race([end, late]);
      expect(failure).toMatchObject({
        code: 'TUNNEL_FAILED',
        message: expect.stringContaining(`closes each socket for ${instanceId}`),
      });
      expect(channel.isClosedByService).toBe(false);
    }));

  it('breaks, too, where its new socket came late, and nothing arrived on that', () =>
    use(async ({ channel, end }) => {
      const operation = 'ssm:ResumeSession';
      world.aws.faults.order({ operation, fault: { latency: 1_500 }, times: 1 });
      world.aws.sessions.faults = { cutAfterBytes: 1, drop: { toAgent: 1 } };
      channel.write(Buffer.from('hello'));
      while (!world.aws.calls.some((call) => call.operation === operation)) await sleep(20);
      world.aws.sessions.faults = { drop: { toAgent: 1 } };
      const late = sleep(20_000, 'late', { ref: false });
      expect(await Promise.race([end, late])).toMatchObject({
        message: expect.stringContaining('acknowledged nothing for 0.3 s'),
      });
    }));
});
