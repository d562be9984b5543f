import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { PortConnection } from '../../support/aws/session-manager/port-connection.ts';
import { flagPayload, handshakeResponse, makeFrame, type RawSession } from './raw-session.ts';
import { startSessionWorld, type SessionWorld } from './session-world.ts';

let world: SessionWorld;

beforeAll(async () => {
  world = await startSessionWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.reset();
});

const shortly = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A port where nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function endOf(session: RawSession): Promise<string | undefined> {
  await session.until(() => session.channelClosed !== undefined);
  return session.channelClosed?.Output;
}

test('an agent carries bytes to a port and back, and ends with the terminate flag', async () => {
  const session = await world.open();
  await session.shakeHands();
  session.send({ sequence: 1, payload: 'to and ' });
  session.send({ sequence: 2, payload: 'fro' });
  await session.until(() => session.output.toString() === 'to and fro');
  expect(session.acknowledged).toEqual([0, 1, 2]);
  expect(world.aws.sessions.open).toMatchObject([{ connected: true, sockets: 1 }]);

  session.send({ sequence: 3, payloadType: 10, payload: flagPayload(2) });
  expect(await endOf(session)).toBe('');
  expect(world.aws.sessions.open).toEqual([]);
  expect(world.violations()).toEqual([]);
});

describe('the handshake', () => {
  test('asks for a session with a port', async () => {
    const session = await world.open({ encryption: true });
    await session.until(() => session.data(5).length > 0);
    const [request] = session.data(5);
    expect(request).toMatchObject({ sequence: 0, flags: 1 });
    expect(JSON.parse(request?.payload.toString() ?? '')).toEqual({
      AgentVersion: expect.stringMatching(/^3\./),
      RequestedClientActions: [
        {
          ActionType: 'SessionType',
          ActionParameters: { SessionType: 'Port', Properties: { portNumber: '22' } },
        },
        { ActionType: 'KMSEncryption', ActionParameters: { KMSKeyId: expect.any(String) } },
      ],
    });
  });

  test('acknowledges data that comes before its end, and drops it', async () => {
    const session = await world.open();
    await session.until(() => session.data(5).length > 0);
    session.send({ sequence: 0, payload: 'too early' });
    await session.until(() => session.acknowledged.length > 0);
    expect(session.acknowledged).toEqual([0]);
    expect(world.violations()).toEqual(['data before the handshake was complete']);
  });

  test('has a time limit, which is reported to the client', async () => {
    const session = await world.open({ handshakeLimit: 30 });
    expect(await endOf(session)).toMatch(/^Handshake timed out\./);
  });

  test('fails if the client refuses an action', async () => {
    const session = await world.open();
    await session.shakeHands(3);
    expect(await endOf(session)).toBe('SessionType failed on client with status 3 error: ');
  });
});

describe('an agent', () => {
  test('refuses data until it has connected, and accepts it when it is repeated', async () => {
    const session = await world.open({ connectDelay: 250 });
    await session.shakeHands();
    session.send({ sequence: 1, payload: 'a' });
    session.send({ sequence: 2, payload: 'b' });
    await session.until(() => session.acknowledged.includes(2));
    expect(session.acknowledged).toEqual([0, 2]);
    while (!session.acknowledged.includes(1)) {
      await shortly(50);
      session.send({ sequence: 1, payload: 'a' });
    }
    await session.until(() => session.output.toString() === 'ab');
    expect(session.acknowledged).toEqual([0, 2, 1]);
  });

  test('never acknowledges a processed message twice, but early messages each time', async () => {
    const session = await world.open();
    await session.shakeHands();
    session.send({ sequence: 1, payload: 'a' });
    session.send({ sequence: 1, payload: 'a' });
    session.send({ sequence: 2, payload: 'b' });
    await session.until(() => session.acknowledged.includes(2));
    const [third, fourth] = [
      makeFrame({ sequence: 3, payload: 'c' }),
      makeFrame({ sequence: 4, payload: 'd' }),
    ];
    world.aws.sessions.faults = { drop: { toAgent: 1 } };
    session.socket.send(third);
    await shortly(20);
    world.aws.sessions.faults = {};
    session.socket.send(fourth);
    session.socket.send(fourth);
    session.socket.send(third);
    await session.until(() => session.output.toString() === 'abcd');
    expect(session.acknowledged).toEqual([0, 1, 2, 4, 4, 3]);
  });

  test('repeats only its oldest message', async () => {
    const session = await world.open({}, { acknowledges: false });
    await session.until(() => session.data(5).length > 0);
    session.send({ sequence: 0, payloadType: 6, payload: handshakeResponse() });
    await session.until(() => session.data(5).length > 2);
    expect(session.data(7)).toHaveLength(1);
    const [first, ...more] = session.data(5);
    expect(more.every((again) => again.id === first?.id)).toBe(true);
    session
      .data(5)
      .slice(0, 1)
      .forEach((request) => {
        session.acknowledge(request);
      });
    await session.until(() => session.data(7).length > 1);
    expect(world.violations()).toEqual([]);
  });

  test('ends silently if the port is refused, or the host disconnects', async () => {
    const refused = await world.open({ ports: { 22: await closedPort() } });
    await refused.shakeHands();
    expect(await endOf(refused)).toBe('');
    const unknown = await world.open({ ports: {} });
    await unknown.shakeHands();
    expect(await endOf(unknown)).toBe('');

    world.serve((socket) => socket.end('last words'));
    const session = await world.open();
    await session.shakeHands();
    expect(await endOf(session)).toBe('');
    expect(session.output.toString()).toBe('last words');
    expect(world.aws.sessions.open).toEqual([]);
    await session.until(() => session.closed !== undefined);
    expect(session.closed).toBe(1000);
  });

  test('stops after a while without acknowledgements', async () => {
    world.serve((socket) => socket.end('last words'));
    const session = await world.open({ drainLimit: 300 }, { acknowledges: false });
    await session.until(() => session.data(5).length > 0);
    session.send({ sequence: 0, payloadType: 6, payload: handshakeResponse() });
    expect(await endOf(session)).toBe('');
  });

  test('splits its input into payloads, and sleeps between them if configured', async () => {
    world.serve((socket) => socket.end(Buffer.alloc(50_000, 7)));
    const session = await world.open({ pace: 1 });
    await session.shakeHands();
    await endOf(session);
    expect(session.output.equals(Buffer.alloc(50_000, 7))).toBe(true);
    expect(Math.max(...session.data(1).map(({ payload }) => payload.length))).toBe(1024);
  });

  test('reports when its port is full, and when it accepts data again', async () => {
    const accepted = new Promise<Socket>((resolve) => {
      world.serve((socket) => {
        resolve(socket.pause());
      });
    });
    const told: string[] = [];
    const port = new PortConnection({
      ...{
        address: world.port,
        pace: 0,
        mayRead: () => true,
        read: () => undefined,
        closed: () => undefined,
      },
      full: () => told.push('full'),
      drained: () => told.push('drained'),
    });
    const socket = await accepted;
    for (let written = 0; written < 32; written++) port.write(Buffer.alloc(1024 * 1024));
    expect(told).toContain('full');
    expect(told).not.toContain('drained');
    socket.resume();
    while (!told.includes('drained')) await shortly(5);
    port.close();
  });
});

describe('a violation is', () => {
  type Damage = (frame: Buffer) => unknown;
  test.each<[string, Damage]>([
    ['a frame of 119 bytes', (frame) => frame.subarray(0, 119)],
    ['a header length of 120', (frame) => frame.writeUInt32BE(120, 0)],
    ['the message type "input_stream_data\\u0000', (frame) => frame.fill(0, 21, 36)],
    ['the schema version 2', (frame) => frame.writeUInt32BE(2, 36)],
    ['a payload length of 2', (frame) => frame.writeUInt32BE(2, 116)],
    ['a payload that its digest does not match', (frame) => frame.fill('b', 120)],
    ['the sequence number -1', (frame) => frame.writeBigInt64BE(-1n, 48)],
    ['sequence number 5 where 1 is next', (frame) => frame.writeBigInt64BE(5n, 48)],
    ['other content for sequence number 0', (frame) => frame.writeBigInt64BE(0n, 48)],
    ['the flags 4', (frame) => frame.writeBigUInt64BE(4n, 56)],
    ['the creation time 1000', (frame) => frame.writeBigUInt64BE(1000n, 40)],
    ['the payload type 5 from a client', (frame) => frame.writeUInt32BE(5, 112)],
    ['a flag that is not four bytes', (frame) => frame.writeUInt32BE(10, 112)],
    // Its halves are not swapped.
    ['the message id', (frame) => frame.write('12345678123441238123123456789012', 64, 'hex')],
  ])('%s', async (violation, damage) => {
    const session = await world.open();
    await session.shakeHands();
    const frame = makeFrame({ sequence: 1, payload: 'a' });
    const damaged = damage(frame);
    session.socket.send(Buffer.isBuffer(damaged) ? damaged : frame);
    session.send({ sequence: 1, payload: 'a' });
    await session.until(() => session.output.toString() === 'a');
    expect(world.violations()).toEqual([expect.stringContaining(violation)]);
  });

  test.each<[string, object]>([
    ['an acknowledgement of "acknowledge"', { AcknowledgedMessageType: 'acknowledge' }],
    ['an acknowledgement of message 9, which was never sent', { AcknowledgedMessageSequenceNumber: 9 }],
    ['an acknowledgement of message 0 with another id', { AcknowledgedMessageId: 'x' }],
    ['an acknowledgement that is not sequential', { IsSequentialMessage: false }],
    ['an acknowledgement without a sequence number', { AcknowledgedMessageSequenceNumber: null }],
  ])('%s', async (violation, more) => {
    const session = await world.open();
    await session.shakeHands();
    const [request] = session.data(5);
    if (request) session.acknowledge(request, more);
    session.send({ sequence: 1, payload: 'a' });
    await session.until(() => session.output.toString() === 'a');
    expect(world.violations()).toEqual([violation]);
  });

  test('a text frame after the first, and a payload above 1,024 bytes', async () => {
    const session = await world.open();
    await session.shakeHands();
    session.socket.send('text');
    session.send({ sequence: 1, payload: Buffer.alloc(1025) });
    session.send({ sequence: 1, payload: 'a' });
    await session.until(() => session.output.toString() === 'a');
    expect(world.violations()).toEqual(['a text frame after the first', 'a payload of 1025 bytes']);
  });
});
