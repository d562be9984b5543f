import { ResumeSessionCommand, TerminateSessionCommand } from '@aws-sdk/client-ssm';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

import type { SessionFaults } from '../../support/aws/local-aws.ts';
import { FaultyLink } from '../../support/aws/session-manager/faults.ts';
import { RawSession } from './raw-session.ts';
import { startSessionWorld, type SessionWorld } from './session-world.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await startSessionWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.reset();
});

async function resume(): Promise<RawSession> {
  const SessionId = world.aws.sessions.open[0]?.id;
  return RawSession.connect(await world.client.send(new ResumeSessionCommand({ SessionId })), world);
}

/** The frames that arrive, of a hundred, in order. */
function arrivals(faults: SessionFaults, session = 0): number[] {
  const link = new FaultyLink(() => faults, 'toAgent', session);
  const arrived: number[] = [];
  for (let frame = 0; frame < 100; frame++) link.pass('data', () => arrived.push(frame));
  return arrived;
}

test('the same seed has the same faults; another seed or session has others', () => {
  const faults = { seed: 3, drop: 0.1, duplicate: 0.1, reorder: 0.1 };
  const first = arrivals(faults);
  expect(arrivals(faults)).toEqual(first);
  expect(arrivals({ ...faults, seed: 4 })).not.toEqual(first);
  expect(arrivals(faults, 1)).not.toEqual(first);
});

test('one fault does not change another', () => {
  const dropped = new Set(arrivals({ drop: 0.2 }));
  expect(new Set(arrivals({ drop: 0.2, duplicate: 0.3 }))).toEqual(dropped);
  expect(dropped.size).toBeGreaterThan(60);
  expect(dropped.size).toBeLessThan(95);
});

test('a fault has the direction that it is given', () => {
  const faults = { drop: { toClient: 1 }, duplicate: { toAgent: 1 } };
  expect(arrivals(faults)).toHaveLength(200);
});

test('a delayed frame arrives after a few others, and without others after a moment', async () => {
  const arrived = arrivals({ reorder: 0.2 });
  expect(arrived).not.toEqual(arrived.toSorted((one, other) => one - other));
  expect(arrived.every((frame, place) => Math.abs(frame - place) < 10)).toBe(true);

  const link = new FaultyLink(() => ({ reorder: 1 }), 'toAgent', 0);
  await new Promise<void>((resolve) => {
    link.pass('data', resolve);
  });
});

test('lost acknowledgements of the agent are lost permanently', async () => {
  const session = await world.open();
  await session.shakeHands();
  world.aws.sessions.faults = { lostAcknowledgements: { toClient: 1 } };
  session.send({ sequence: 1, payload: 'a' });
  session.send({ sequence: 1, payload: 'a' });
  await session.until(() => session.output.toString() === 'a');
  expect(session.acknowledged).toEqual([0]);
});

test('delayed frames keep their order', async () => {
  const session = await world.open();
  await session.shakeHands();
  world.aws.sessions.faults = { delay: 5 };
  for (const [place, payload] of 'in order'.split('').entries())
    session.send({ sequence: place + 1, payload });
  await session.until(() => session.output.toString() === 'in order');
  expect(session.acknowledged).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test.each<[string, SessionFaults]>([
  ['so many bytes', { cutAfterBytes: 4_000 }],
  ['so long a time', { closeEvery: 30 }],
  ['a silence of the client', { idleLimit: 30 }],
])('a socket is cut after %s, and the session continues when it is resumed', async (_, faults) => {
  const session = await world.open();
  await session.shakeHands();
  session.socket.terminate();
  while (world.aws.sessions.open[0]?.connected === true)
    await new Promise((resolve) => setImmediate(resolve));
  world.aws.sessions.faults = faults;
  const second = await resume();
  const send = (session: RawSession): void => {
    for (const sequence of [1, 2, 3, 4]) session.send({ sequence, payload: Buffer.alloc(1024) });
  };
  if (faults.cutAfterBytes !== undefined) send(second);
  await second.until(() => second.closed !== undefined);
  expect(second.closed).toBe(1006);
  expect(world.aws.sessions.open).toMatchObject([{ connected: false, sockets: 2 }]);

  world.aws.sessions.faults = {};
  const third = await resume();
  send(third);
  third.send({ sequence: 5, payload: 'after all' });
  await third.until(() => third.output.toString().endsWith('after all'));
  expect(world.violations()).toEqual([]);
});

test('pings keep a socket open that would be cut when idle', async () => {
  world.aws.sessions.faults = { idleLimit: 600 };
  const session = await world.open();
  await session.shakeHands();
  for (let ping = 0; ping < 8; ping++) {
    session.socket.ping();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(session.closed).toBeUndefined();
  expect(world.aws.sessions.open[0]?.pings).toBe(8);
  await session.until(() => session.closed !== undefined);
});

test('in a pause both sides are told, and what the client sends is lost', async () => {
  world.aws.sessions.faults = { pause: { every: 200, for: 400 } };
  const session = await world.open();
  await session.shakeHands();
  const types = (): string[] =>
    session.received.map(({ type }) => type).filter((type) => type.endsWith('publication'));
  await session.until(() => types().length > 0);
  session.send({ sequence: 1, payload: 'a' });
  await session.until(() => types().length > 1);
  expect(types()).toEqual(['pause_publication', 'start_publication']);
  expect(session.acknowledged).toEqual([0]);
  // Another pause may come in between.
  while (session.output.toString() !== 'a') {
    session.send({ sequence: 1, payload: 'a' });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

test('a service that stalls passes nothing on and answers no ping, and then continues', async () => {
  const heard = new Promise<void>((resolve) => {
    world.serve((socket) => {
      socket.pipe(socket).once('data', () => {
        resolve();
      });
    });
  });
  const session = await world.open();
  await session.shakeHands();
  world.aws.sessions.faults = { stall: { afterBytes: 1, for: 250 } };
  session.send({ sequence: 1, payload: 'a' });
  // The message has arrived, and nothing after it.
  await heard;
  const events: string[] = [];
  session.socket.once('pong', () => events.push('pong'));
  session.socket.once('message', () => events.push('message'));
  session.socket.ping();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(events).toEqual([]);
  await session.until(() => session.output.toString() === 'a');
  while (events.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(events).toEqual(['message', 'pong']);
  expect(session.acknowledged).toEqual([0, 1]);
});

test('TerminateSession takes the configured time', async () => {
  world.aws.sessions.faults = { terminateDelay: 100 };
  const session = await world.open();
  await session.shakeHands();
  const SessionId = world.aws.sessions.open[0]?.id;
  const ending = world.client.send(new TerminateSessionCommand({ SessionId }));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(world.aws.sessions.open).toHaveLength(1);
  await ending;
  expect(world.aws.sessions.open).toEqual([]);
});

test('cut ends the sockets of all sessions at once', async () => {
  const sessions = [await world.open(), await world.open()];
  for (const session of sessions) await session.shakeHands();
  world.aws.sessions.cut();
  for (const session of sessions) await session.until(() => session.closed === 1006);
  expect(world.aws.sessions.open).toHaveLength(2);
});
