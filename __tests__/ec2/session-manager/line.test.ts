/** A WebSocket with pings that are answered, pings that are not, and its end. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { WebSocketServer, type WebSocket } from 'ws';
import { openConnection } from '../../../src/aws/connection.ts';
import { Line } from '../../../src/ec2/session-manager/line.ts';

let server: WebSocketServer | undefined;

afterEach(() => {
  for (const client of server?.clients ?? []) client.terminate();
  server?.close();
});

async function openLine(autoPong: boolean): Promise<{ line: Line; other: WebSocket; heard: string[] }> {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong });
  const heard: string[] = [];
  const connected = once(server, 'connection') as Promise<[WebSocket]>;
  void connected.then(([socket]) => {
    socket.on('message', (data: Buffer) => heard.push(data.toString()));
    socket.on('ping', () => heard.push('ping'));
  });
  await once(server, 'listening');
  const line = await Line.open({
    url: new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ...{ headers: {}, opening: 'opening', signal: new AbortController().signal },
    connection: openConnection({ env: {}, maxAttempts: 1 }),
    onFrame: () => undefined,
    onDrain: () => undefined,
    // A busy machine may stop a process for a tenth of a second.
    keepAlive: { interval: 250, patience: 240 },
  });
  return { line, other: (await connected)[0], heard };
}

it('sends its opening message first, then frames in order, and pings', async () => {
  const { line, heard } = await openLine(true);
  line.send(Buffer.from('one'));
  line.send(Buffer.from('two'));
  while (!heard.includes('ping')) await sleep(5);
  expect(heard.filter((what) => what !== 'ping')).toEqual(['opening', 'one', 'two']);
  await line.close();
});

it('sends the frames of a turn together, in each turn', async () => {
  const { line } = await openLine(true);
  for (const turn of ['one', 'two']) {
    line.send(Buffer.from(turn));
    // They wait for the end of the turn.
    expect([turn, line.backlog]).not.toEqual([turn, 0]);
    while (line.backlog > 0) await sleep(1);
  }
  await line.close();
});

it('ends if no ping is answered', async () => {
  const { line } = await openLine(false);
  await line.gone;
});

it('stays open while pings are answered, and while it is paused and cannot read answers', async () => {
  const { line, heard } = await openLine(true);
  let isGone = false;
  void line.gone.then(() => (isGone = true));
  line.pause();
  while (heard.filter((what) => what === 'ping').length < 4) await sleep(5);
  expect(isGone).toBe(false);
  line.resume();
  heard.length = 0;
  while (heard.length < 4) await sleep(5);
  expect(isGone).toBe(false);
  await line.close();
});

it('ends when the other side cuts it', async () => {
  const { line, other } = await openLine(true);
  other.terminate();
  await line.gone;
});

it('closes soon, even if the other side does not answer', async () => {
  const { line, other } = await openLine(true);
  other.pause();
  await line.close();
});
