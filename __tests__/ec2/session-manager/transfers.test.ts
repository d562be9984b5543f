import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import {
  isOpen,
  madeBytes,
  read,
  startTransferWorld,
  transfer,
  troublesFor,
  type TransferOutcome,
  type TransferWorld,
} from './transfer.ts';

/** A short version of `npm run test:tunnel`: all faults once, at the same time. */
const size = 500_000;
const troubles = Object.entries(troublesFor(size));

let world: TransferWorld;
let outcomes: Map<string, PromiseSettledResult<TransferOutcome>>;

beforeAll(async () => {
  world = await startTransferWorld();
  const all = troubles.map(([, trouble]) => transfer(world, { trouble, size }));
  const settled = await Promise.allSettled(all);
  outcomes = new Map(
    troubles.map(([name], place) => [name, settled[place] as PromiseSettledResult<TransferOutcome>]),
  );
});
afterEach(() => {
  world.aws.sessions.faults = {};
});
afterAll(() => world.stop());

describe('every byte arrives in both directions, and no session is left, with', () => {
  test.each(troubles.map(([name]) => name))('%s', (name) => {
    const outcome = outcomes.get(name);
    // Throw the error itself, which says why the tunnel broke.
    if (outcome?.status === 'rejected') throw outcome.reason;
    expect(outcome?.value).toMatchObject({
      right: { up: true, down: true },
      violations: [],
      ended: true,
    });
  });
});

test('sockets that were cut, reset or closed were replaced', () => {
  for (const name of ['cut sockets', 'resets up', 'resets down', 'closed by the hour', 'all together']) {
    const outcome = outcomes.get(name);
    if (outcome?.status !== 'fulfilled') throw new Error(name);
    expect(outcome.value.sockets).toBeGreaterThan(1);
  }
});

test('an idle connection continues after its socket was closed', async () => {
  const instanceId = await world.launch((socket) => socket.pipe(socket), { faults: { closeEvery: 100 } });
  const tunnel = await world.openTunnel(instanceId);
  while ((world.aws.sessions.open.find(({ target }) => target === instanceId)?.sockets ?? 0) < 3) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  tunnel.stream.write('still here');
  expect((await read(tunnel.stream, 10)).toString()).toBe('still here');
  await tunnel.close();
});

test('the last bytes of the host arrive before the end', async () => {
  const instanceId = await world.launch((socket) => {
    socket.end(Buffer.alloc(100_000, 'x'));
  });
  const tunnel = await world.openTunnel(instanceId);
  let length = 0;
  tunnel.stream.on('data', (chunk: Buffer) => (length += chunk.length));
  await once(tunnel.stream, 'end');
  expect(length).toBe(100_000);
  await tunnel.close();
  expect(world.aws.sessions.open).toEqual([]);
  expect(world.aws.sessions.violations).toEqual([]);
});

test('a silent host is not reported as a refused port when the client ends', async () => {
  const heard: string[] = [];
  const instanceId = await world.launch((socket) =>
    socket.on('data', (bytes) => heard.push(bytes.toString())),
  );
  const { stream } = await world.openTunnel(instanceId);
  // The end of the session arrives before the acknowledgement of the terminate flag.
  world.aws.sessions.faults = { lostAcknowledgements: { toClient: 1 } };
  stream.resume().end('to whom it may concern');
  await finished(stream);
  expect(heard).toEqual(['to whom it may concern']);
  expect(isOpen(world.aws, instanceId)).toBe(false);
});

describe('bytes are not read without limit', () => {
  /** Returns the amount when it stops growing, or is above the limit. */
  async function settled(amount: () => number, limit: number): Promise<number> {
    for (let before = -1; before < limit; before = amount()) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      if (amount() === before) break;
    }
    return amount();
  }

  /** Writes bytes as fast as the other side reads them, up to a limit. */
  function pour(stream: Duplex, enough: number): () => number {
    const chunk = madeBytes('poured', 64 * 1024);
    let poured = 0;
    const write = (): void => {
      for (let goesOn = true; goesOn && poured < enough; poured += chunk.length) goesOn = stream.write(chunk);
    };
    stream.on('drain', write);
    write();
    return () => poured;
  }

  test('from a writer, while the agent acknowledges nothing', async () => {
    const instanceId = await world.launch((socket) => socket.resume());
    const tunnel = await world.openTunnel(instanceId);
    world.aws.sessions.faults = { drop: { toAgent: 1 } };
    const limit = 4 * 1024 * 1024;
    const taken = await settled(pour(tunnel.stream, limit), limit);
    expect(taken).toBeGreaterThan(512 * 1024);
    expect(taken).toBeLessThan(limit);
    await tunnel.close();
  });

  // Most of it is in the kernel's buffers of four sockets.
  test('from the host, while nobody reads', async () => {
    const limit = 40 * 1024 * 1024;
    let poured = (): number => 0;
    const instanceId = await world.launch((socket) => (poured = pour(socket, limit)));
    const tunnel = await world.openTunnel(instanceId);
    const taken = await settled(() => poured(), limit);
    expect(taken).toBeGreaterThan(64 * 1024);
    expect(taken).toBeLessThan(limit);
    await tunnel.close();
    expect(world.aws.sessions.open).toEqual([]);
  });
});
