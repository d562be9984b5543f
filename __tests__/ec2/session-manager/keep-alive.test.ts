/** Pings with short intervals, and a service that closes idle connections. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

import { Channel } from '../../../src/ec2/session-manager/channel.ts';
import { Sessions } from '../../../src/ec2/session-manager/sessions.ts';
import type { Failure } from '../../../src/errors.ts';
import type { OpenSession } from '../../support/aws/local-aws.ts';
import { REGION } from '../../support/aws/world.ts';
import { startTransferWorld, type TransferWorld } from './transfer.ts';

let world: TransferWorld;

beforeAll(async () => {
  world = await startTransferWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.aws.sessions.faults = {};
});

const shortly = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Opened {
  readonly channel: Channel;
  readonly session: () => OpenSession | undefined;
  readonly output: () => string;
  readonly ends: (Failure | undefined)[];
}

/** Connects to a host that echoes. */
async function open(keepAlive: { interval: number; patience: number }): Promise<Opened> {
  const instanceId = await world.launch((socket) => socket.pipe(socket));
  const target = { instanceId, port: 22, region: REGION };
  const sessions = new Sessions(target, world.caller);
  const session = await sessions.start(world.caller.signal);
  let output = '';
  const ends: Opened['ends'] = [];
  const channel = new Channel({
    ...{ target, session, sessions, connection: world.caller.connection, keepAlive },
    onOutput: (bytes) => (output += bytes.toString()),
    onRoom: () => undefined,
    onEnd: (failure) => ends.push(failure),
  });
  await channel.ready;
  return {
    ...{ channel, ends, output: () => output },
    session: () => world.aws.sessions.open.find(({ id }) => id === session.id),
  };
}

test('a connection without traffic keeps its socket', async () => {
  // On a busy machine a ping may be two seconds late.
  world.aws.sessions.faults = { idleLimit: 2_000 };
  const { channel, session, ends } = await open({ interval: 50, patience: 8_000 });
  const opened = performance.now();
  while (performance.now() - opened < 3_000) await shortly(20);
  expect(session()?.pings).toBeGreaterThan(5);
  expect(session()).toMatchObject({ sockets: 1, connected: true });
  expect(ends).toEqual([]);
  await channel.close();
});

test('a socket without data, even without answers to pings, is replaced', async () => {
  const { channel, session, output, ends } = await open({ interval: 50, patience: 100 });
  world.aws.sessions.faults = { stall: { afterBytes: 1, for: 60_000 } };
  channel.write(Buffer.from('anybody there?'));
  while ((session()?.sockets ?? 0) < 2) await shortly(20);
  world.aws.sessions.faults = {};
  while (output() !== 'anybody there?') await shortly(20);
  expect(ends).toEqual([]);
  expect(world.aws.sessions.violations).toEqual([]);
  await channel.close();
});
