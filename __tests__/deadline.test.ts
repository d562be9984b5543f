/** Work with a time limit, and how many listen to its signal. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { abortable, within, withDeadline } from '../src/deadline.ts';

const never = new Promise<never>(() => undefined);

describe('work in time', () => {
  it('is its result, or its error, and nobody listens after it', async () => {
    const { signal } = new AbortController();
    await expect(abortable(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(abortable(Promise.reject(new Error('of the work')), signal)).rejects.toThrow('of the work');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('rejects with the reason of the signal, also of one that was aborted before', async () => {
    const limit = new AbortController();
    const given = abortable(never, limit.signal);
    limit.abort(new Error('over'));
    await expect(given).rejects.toThrow('over');
    await expect(abortable(never, limit.signal)).rejects.toThrow('over');
  });
});

describe('work with a deadline', () => {
  const reason = new Error('over');

  it('is its result, and keeps no timer behind it', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await expect(withDeadline({ milliseconds: 60_000, reason }, () => Promise.resolve(1))).resolves.toBe(1);
    await expect(within(60_000, Promise.resolve(2))).resolves.toBe(2);
    expect(timers()).toBe(before);
  });

  it('rejects with the reason when the time is over, and its own signal says so', async () => {
    let given: AbortSignal | undefined;
    const work = withDeadline({ milliseconds: 1, reason }, (signal) => {
      given = signal;
      return never;
    });
    await expect(work).rejects.toBe(reason);
    expect(given?.reason).toBe(reason);
  });

  it('rejects with the reason of the signal around it where that comes first', async () => {
    const around = new AbortController();
    const work = withDeadline({ milliseconds: 60_000, reason, signal: around.signal }, () => never);
    around.abort(new Error('interrupted'));
    await expect(work).rejects.toThrow('interrupted');
  });

  it('is undefined where nobody asks why it took longer', async () => {
    await expect(within(1, never)).resolves.toBeUndefined();
  });
});
