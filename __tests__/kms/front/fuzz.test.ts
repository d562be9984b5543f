/** A sample of `npm run fuzz:front`, over messages and over sockets. */
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect } from '@jest/globals';
import { listIdentities } from '../../../src/ssh/agent-protocol.ts';
import { askFrontSocket, connectTo } from '../../support/front.ts';
import { memorySigner } from '../../support/memory-signer.ts';
import { hasSample, it, itInRest } from '../../support/parts.ts';
import { fuzz } from './fuzz.ts';
import { add, front, startWithBack } from './stage.ts';

/** Another one in each run. A failure prints it. */
const seed = Date.now() % 1_000_000;

describe('random and damaged messages', () => {
  it('never crash the agent and never make it sign', async () => {
    const { signed } = await fuzz(5000, seed);
    // The messages do reach the signatures.
    expect(signed).toBeGreaterThan(20);
  });

  itInRest('never do so, 30,000 of them', async () => {
    const { signed } = await fuzz(30_000, seed + 1);
    expect(signed).toBeGreaterThan(150);
  });
});

/** The other part would have a describe without tests, which jest refuses. */
const describeInSample = hasSample ? describe : (): undefined => undefined;

describeInSample('random bytes at the socket', () => {
  afterEach(() => front.stop());

  it('do not disturb other clients', async () => {
    await startWithBack();
    const signer = memorySigner();
    add(signer);
    for (let count = 0; count < 100; count++) {
      const client = await connectTo(front.socket);
      client.resume();
      const small = Buffer.alloc(4);
      small.writeUInt32BE(1 + (count % 50));
      client.end(Buffer.concat([count % 2 === 0 ? small : Buffer.alloc(0), randomBytes(1 + count * 7)]));
      await once(client, 'close');
    }
    const [answer] = await askFrontSocket(front.socket, listIdentities());
    expect([answer?.[0], signer.asked()]).toEqual([12, 0]);
  });
});
