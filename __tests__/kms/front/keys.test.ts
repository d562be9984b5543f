/** Limits of keys in the agent in front, and of single signatures. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Failure } from '../../../src/errors.ts';
import { removeAllIdentities } from '../../../src/ssh/agent-protocol.ts';
import { askFrontSocket } from '../../support/front.ts';
import { memorySigner } from '../../support/memory-signer.ts';
import { hostbound, loginData, makeHost, signMessage, sshsigData } from './requests.ts';
import { add, failed, front, lastReason, signed, signOnce, start, uses } from './stage.ts';

afterEach(() => front.stop());

describe('a key', () => {
  it('ends after its uses, and not by signatures that failed', async () => {
    await start();
    let isBroken = true;
    const signer = memorySigner('ed25519', () =>
      isBroken
        ? Promise.reject(new Failure('NETWORK_UNREACHABLE', 'no way', { hint: 'wait' }))
        : Promise.resolve(),
    );
    add(signer, { uses: 2 });
    expect(await signOnce(signer)).toBe(failed);
    isBroken = false;
    expect([await signOnce(signer), await signOnce(signer), await signOnce(signer)]).toEqual([
      signed,
      signed,
      failed,
    ]);
    expect(front.identities.list()).toEqual([]);
    expect((await uses()).map(({ outcome }) => outcome)).toEqual(['failed', 'signed', 'signed']);
  });

  it('gives no signature away and does not end if its last use cannot be noted', async () => {
    await start();
    const signer = memorySigner();
    let isFull = true;
    const onSpent = (): void => {
      if (isFull) throw new Failure('STATE_UNSAFE', 'the disk is full', { hint: 'free space' });
    };
    add(signer, { uses: 2, onSpent });
    expect([await signOnce(signer), await signOnce(signer), await signOnce(signer)]).toEqual([
      signed,
      failed,
      failed,
    ]);
    expect(await lastReason()).toBe('the disk is full');
    isFull = false;
    expect([await signOnce(signer), await signOnce(signer)]).toEqual([signed, failed]);
    expect(front.identities.list()).toEqual([]);
  });

  it('signs no more than its uses for many clients at once', async () => {
    await start();
    const signer = memorySigner('ed25519', () => sleep(50));
    add(signer, { uses: 3 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => signOnce(signer)));
    expect(answers.filter((answer) => answer === signed).length).toBe(3);
    expect(signer.asked()).toBe(3);
    expect((await uses()).some(({ failure }) => failure?.message === 'all uses of the key are taken')).toBe(
      true,
    );
    expect(front.identities.list()).toEqual([]);
  });

  it('ends with its lifetime', async () => {
    let now = 1000;
    await start({ now: () => now });
    const signer = memorySigner();
    add(signer, { lifetime: 60 });
    now += 59_999;
    expect(await signOnce(signer)).toBe(signed);
    now += 1;
    expect(await signOnce(signer)).toBe(failed);
    expect(front.identities.list()).toEqual([]);
  });

  it('of a new line replaces the old one', async () => {
    await start();
    const signer = memorySigner();
    const before = add(signer, { uses: 1 });
    const after = add(signer, { uses: 5 });
    before.remove();
    expect([before.isHeld, after.isHeld]).toEqual([false, true]);
    expect([await signOnce(signer), await signOnce(signer)]).toEqual([signed, signed]);
  });

  it('that was removed during a signature gives no signature', async () => {
    await start();
    const signer = memorySigner('ed25519', () => sleep(200));
    add(signer);
    const signing = signOnce(signer);
    await sleep(50);
    await askFrontSocket(front.socket, removeAllIdentities());
    expect(await signing).toBe(failed);
    expect(await lastReason()).toContain('removed or locked meanwhile');
  });

  it('that has changed gives no signature', async () => {
    await start();
    const [known, behind] = [memorySigner(), memorySigner()];
    add({ ...known, sign: (data, algorithm, stop) => behind.sign(data, algorithm, stop) });
    expect(await signOnce(known)).toBe(failed);
    expect(await lastReason()).toContain('does not belong to the key');
  });

  it('signs by no algorithm that it does not have', async () => {
    await start();
    const signer = memorySigner('rsa');
    add({ ...signer, algorithms: ['rsa-sha2-512'] });
    const { blob } = signer.publicKey;
    const [answer] = await askFrontSocket(front.socket, signMessage(blob, sshsigData(), 2));
    expect([answer?.[0], signer.asked()]).toEqual([failed, 0]);
    expect(await lastReason()).toBe('the key does not sign by rsa-sha2-256');
  });
});

describe('a signature', () => {
  it('that takes too long is refused in time, even if the signer ignores that', async () => {
    await start({ limits: { patience: 300, waiting: 8 } });
    const signer = memorySigner('ed25519', () => new Promise(() => undefined));
    add(signer, { uses: 1 });
    const started = performance.now();
    expect(await signOnce(signer)).toBe(failed);
    expect(performance.now() - started).toBeLessThan(5000);
    expect((await uses()).at(-1)).toMatchObject({ outcome: 'failed', failure: { code: 'TIMEOUT' } });
    // Its use is given back.
    expect(await signOnce(signer)).toBe(failed);
    expect(signer.asked()).toBe(2);
  });

  it('that takes too long is refused with the reason of the signer, if it has one', async () => {
    await start({ limits: { patience: 300, waiting: 8 } });
    const throttled = new Failure('THROTTLED', 'the rate is limited', { hint: 'run it again later' });
    const signer = memorySigner('ed25519', (signal) =>
      once(signal, 'abort').then(() => Promise.reject(throttled)),
    );
    add(signer);
    expect(await signOnce(signer)).toBe(failed);
    expect((await uses()).at(-1)).toMatchObject({ outcome: 'failed', failure: { code: 'THROTTLED' } });
  });

  it('waits for no other client', async () => {
    await start();
    const slow = memorySigner('ed25519', () => sleep(1500));
    const fast = memorySigner();
    add(slow);
    add(fast);
    const order: string[] = [];
    await Promise.all([
      signOnce(slow).then(() => order.push('slow')),
      ...Array.from({ length: 10 }, () => signOnce(fast).then(() => order.push('fast'))),
    ]);
    expect(order.at(-1)).toBe('slow');
  });

  it('beyond the limit of waiting ones is refused', async () => {
    await start({ limits: { patience: 5000, waiting: 4 } });
    const signer = memorySigner('ed25519', () => sleep(300));
    add(signer);
    const answers = await Promise.all(Array.from({ length: 10 }, () => signOnce(signer)));
    expect(answers.filter((answer) => answer === signed).length).toBe(4);
    expect((await uses()).filter(({ failure }) => failure?.code === 'THROTTLED').length).toBe(6);
    expect(await signOnce(signer)).toBe(signed);
  });

  it('for a host whose known keys cannot be read fails with the cause', async () => {
    await start();
    const signer = memorySigner();
    const cause = new Failure('KNOWN_HOSTS_INVALID', 'known_hosts is gone', { hint: 'write it again' });
    add(signer, { hosts: () => Promise.reject(cause) });
    const { blob } = signer.publicKey;
    const data = loginData({ blob, hostKey: makeHost().key, method: hostbound });
    const [answer] = await askFrontSocket(front.socket, signMessage(blob, data));
    expect(answer?.[0]).toBe(failed);
    expect((await uses()).at(-1)?.failure).toMatchObject({
      code: 'KNOWN_HOSTS_INVALID',
      hint: 'write it again',
    });
  });
});
