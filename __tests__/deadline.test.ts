/** Work with a time limit, and how many listen to its signal. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { abortable } from '../src/deadline.ts';

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
