/** Many clients of the agent in front, some of which misbehave, and agents behind it that do. */
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { uint32 } from '../../../src/keys/wire.ts';
import { listIdentities, message, requests } from '../../../src/ssh/agent-protocol.ts';
import { serveInstead } from '../../support/agents.ts';
import { askFrontSocket, connectTo, identityFor, startTestFront } from '../../support/front.ts';
import { memorySigner } from '../../support/memory-signer.ts';
import { add, failed, front, request, signed, signOnce, start, startWithBack } from './stage.ts';

afterEach(() => front.stop());

describe('a client', () => {
  it('that closes its side gets its answers', async () => {
    await start();
    const signer = memorySigner('ed25519', () => sleep(100));
    add(signer);
    const client = await connectTo(front.socket);
    const received: Buffer[] = [];
    client.on('data', (chunk: Buffer) => received.push(chunk));
    client.end(Buffer.concat([request(signer), listIdentities()]));
    await once(client, 'close');
    const bytes = Buffer.concat(received);
    expect([bytes[4], bytes[4 + bytes.readUInt32BE() + 4]]).toEqual([signed, 12]);
  });

  it.each([
    ['too long', uint32(256 * 1024 + 1)],
    ['empty', uint32(0)],
    ['longest number', Buffer.alloc(4, 255)],
    ['text', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('whose frame is wrong (%s) is disconnected', async (_, bytes) => {
    await start();
    const client = await connectTo(front.socket);
    client.write(bytes);
    client.resume();
    await Promise.race([once(client, 'end'), once(client, 'close')]);
    client.destroy();
    expect((await askFrontSocket(front.socket, listIdentities()))[0]?.[0]).toBe(12);
  });

  it('may send a message byte by byte', async () => {
    await start();
    const signer = memorySigner();
    add(signer);
    const client = await connectTo(front.socket);
    for (const byte of request(signer)) {
      client.write(Buffer.of(byte));
      await sleep(1);
    }
    const [chunk] = (await once(client, 'data')) as [Buffer];
    expect(chunk[4]).toBe(signed);
    client.destroy();
  });

  it('that floods, stalls or reads nothing does not disturb others', async () => {
    await start();
    const signer = memorySigner();
    add(signer);
    const flood = Buffer.concat(Array.from({ length: 20_000 }, () => listIdentities()));
    const clients = await Promise.all(Array.from({ length: 60 }, () => connectTo(front.socket)));
    for (const [number, client] of clients.entries()) {
      if (number % 3 === 0)
        client.write(flood); // Reads no answer.
      else if (number % 3 === 1) client.write(Buffer.concat([uint32(100_000), Buffer.alloc(50_000)]));
    }
    const before = process.memoryUsage().rss;
    const started = performance.now();
    for (let count = 0; count < 20; count++) expect(await signOnce(signer)).toBe(signed);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    for (const client of clients) client.destroy();
  });

  it('that reads no answers costs no memory', async () => {
    await start();
    front.identities.add(identityFor(memorySigner(), {}, 'c'.repeat(100_000)));
    const client = await connectTo(front.socket);
    const before = process.memoryUsage().rss;
    client.write(Buffer.concat(Array.from({ length: 5000 }, () => listIdentities())));
    await sleep(3000);
    // All answers together have 500 MB.
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    client.destroy();
  });

  it('that goes away during a signature leaves nothing behind', async () => {
    await start();
    const signer = memorySigner('ed25519', () => sleep(100));
    add(signer);
    for (let count = 0; count < 10; count++) {
      const client = await connectTo(front.socket);
      client.write(request(signer), () => client.destroy());
    }
    await sleep(500);
    expect(await signOnce(signer)).toBe(signed);
  });

  it('finds ours while the agent behind does not answer, or answers nonsense', async () => {
    const agents: readonly ((bytes: Buffer) => Buffer)[] = [
      () => Buffer.alloc(0),
      () => Buffer.from('nonsense'),
      () => message(12, uint32(1_000_000)),
      () => Buffer.concat([message(5), message(5)]),
    ];
    const signer = memorySigner();
    for (const [number, answer] of agents.entries()) {
      await start();
      const socket = join(front.folder, 'behind');
      const close = await serveInstead(socket, (connection, bytes) => connection.write(answer(bytes)));
      const other = await startTestFront({ back: socket });
      other.identities.add(identityFor(signer));
      const answers = await askFrontSocket(other.socket, listIdentities(), request(signer), message(99));
      expect([number, answers[0]?.readUInt32BE(1), answers[1]?.[0]]).toEqual([number, 1, signed]);
      await other.stop();
      await close();
      if (number + 1 < agents.length) await front.stop();
    }
  });
});

describe('requests that are incomplete', () => {
  it('are answered, and do not end the agent behind', async () => {
    await startWithBack();
    const numbers = Object.values(requests).filter((number) => ![9, 11, 19].includes(number));
    const answers = await askFrontSocket(front.socket, ...numbers.map((number) => message(number)));
    expect(answers.map(([number]) => number)).toEqual(numbers.map(() => failed));
    expect((await front.run(['ssh-add', '-l'])).stdout).toContain('no identities');
    await expect(askFrontSocket(front.back.socket, listIdentities())).resolves.toHaveLength(1);
  });
});
