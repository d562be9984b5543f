/** Work with a time limit, and the listeners on its signal. */
import { getEventListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { abortable, anySignal, within, withDeadline } from '../src/deadline.ts';

const never = new Promise<never>(() => undefined);

describe('abortable work', () => {
  it('returns the result or the error of the work, and removes its listener', async () => {
    const { signal } = new AbortController();
    await expect(abortable(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(abortable(Promise.reject(new Error('of the work')), signal)).rejects.toThrow('of the work');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('rejects with the reason of the signal, even if it was aborted before', async () => {
    const limit = new AbortController();
    const given = abortable(never, limit.signal);
    limit.abort(new Error('over'));
    await expect(given).rejects.toThrow('over');
    await expect(abortable(never, limit.signal)).rejects.toThrow('over');
  });
});

describe.each(['a Node with', 'a Node before 20.3, without'])(
  'any of several signals, on %s AbortSignal.any',
  (node) => {
    const any = Object.getOwnPropertyDescriptor(AbortSignal, 'any');
    beforeAll(() => {
      if (node.endsWith('without')) Reflect.deleteProperty(AbortSignal, 'any');
    });
    afterAll(() => {
      Object.defineProperty(AbortSignal, 'any', any ?? {});
    });

    it('is aborted with one of them, for its reason', () => {
      const other = new AbortController();
      const both = anySignal(new AbortController().signal, other.signal);
      expect(both.aborted).toBe(false);
      other.abort(new Error('other'));
      expect([both.aborted, both.reason]).toEqual([true, new Error('other')]);
    });

    it('warns of no leak, however many are joined with one signal', () => {
      const warnings: unknown[] = [];
      const keep = (warning: unknown): unknown => warnings.push(warning);
      const { signal } = new AbortController();
      process.on('warning', keep);
      try {
        for (let count = 0; count < 20; count++) anySignal(signal, new AbortController().signal);
      } finally {
        process.off('warning', keep);
      }
      expect(warnings).toEqual([]);
    });

    it('is aborted from the start if one of them was', () => {
      const both = anySignal(new AbortController().signal, AbortSignal.abort(new Error('before')));
      expect([both.aborted, both.reason]).toEqual([true, new Error('before')]);
    });
  },
);

describe('work with a deadline', () => {
  const reason = new Error('over');

  it('returns the result of the work, and leaves no timer', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await expect(withDeadline({ milliseconds: 60_000, reason }, () => Promise.resolve(1))).resolves.toBe(1);
    await expect(within(60_000, Promise.resolve(2))).resolves.toBe(2);
    expect(timers()).toBe(before);
  });

  it('rejects with the reason at the time limit, and aborts the signal of the work', async () => {
    let given: AbortSignal | undefined;
    const work = withDeadline({ milliseconds: 1, reason }, (signal) => {
      given = signal;
      return never;
    });
    await expect(work).rejects.toBe(reason);
    expect(given?.reason).toBe(reason);
  });

  it('rejects with the reason of the outer signal if that is aborted first', async () => {
    const around = new AbortController();
    const work = withDeadline({ milliseconds: 60_000, reason, signal: around.signal }, () => never);
    around.abort(new Error('interrupted'));
    await expect(work).rejects.toThrow('interrupted');
  });

  it('is undefined within() a time that is too short', async () => {
    await expect(within(1, never)).resolves.toBeUndefined();
  });
});
