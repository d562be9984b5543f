import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { TcpRelay } from '../support/tcp-relay.ts';

describe('a relay with a round-trip time', () => {
  const opened: { close: () => unknown }[] = [];
  afterEach(() => {
    for (const one of opened.splice(0)) one.close();
  });

  /** An echo behind a relay. */
  async function open(roundTrip: number): Promise<{ relay: TcpRelay; client: Socket }> {
    const server: Server = createServer((socket) => socket.pipe(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const relay = await TcpRelay.start((server.address() as AddressInfo).port, { roundTrip });
    const client = connect(relay.port, '127.0.0.1');
    opened.push(relay, server);
    await once(client, 'connect');
    return { relay, client };
  }

  async function echo(client: Socket, text: string): Promise<number> {
    const started = performance.now();
    client.write(text);
    let back = '';
    while (back.length < text.length) back += String(await once(client, 'data'));
    expect(back).toBe(text);
    return performance.now() - started;
  }

  it('takes two round trips for the first answer, and one for the next', async () => {
    const { client } = await open(300);
    // Timers count whole milliseconds.
    expect(await echo(client, 'first')).toBeGreaterThanOrEqual(598);
    const next = await echo(client, 'next');
    expect(next).toBeGreaterThanOrEqual(298);
    client.destroy();
  });

  it('keeps the order of what is written before and after the connection is open', async () => {
    const { client } = await open(50);
    const texts = Array.from({ length: 60 }, (_, index) => `${index};`);
    let back = '';
    client.on('data', (chunk: Buffer) => (back += chunk.toString()));
    for (const text of texts) {
      client.write(text);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    client.end();
    await once(client, 'close');
    expect(back).toBe(texts.join(''));
  });

  it('tells when the first connection came and when the last answer reached the client', async () => {
    const { relay, client } = await open(200);
    await echo(client, 'text');
    expect(relay.lastAt - relay.firstAt).toBeGreaterThanOrEqual(398);
    client.destroy();
  });
});
