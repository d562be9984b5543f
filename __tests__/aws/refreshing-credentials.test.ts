/** Credentials that are used for longer than a role's session. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Credentials } from '../../src/aws/caller.ts';
import { refreshing } from '../../src/aws/refreshing-credentials.ts';

const minutes = (count: number): number => count * 60_000;
const ending = (name: string, at: number): Credentials => ({
  ...{ accessKeyId: name, secretAccessKey: 'x', sessionToken: 'y', expiration: new Date(at) },
});

describe('refreshing credentials', () => {
  let now = 0;
  const clock = (): number => now;

  it('are renewed once, five minutes before they expire', async () => {
    now = 0;
    let asked = 0;
    const open = (): Promise<ReturnType<typeof ending>> => {
      asked++;
      return Promise.resolve(ending(`refreshing-${asked}`, now + minutes(15)));
    };
    const credentials = refreshing(ending('first', minutes(15)), open, { clock });
    now = minutes(10) - 1;
    expect((await credentials()).accessKeyId).toBe('first');
    now = minutes(10);
    const both = await Promise.all([credentials(), credentials()]);
    expect(both.map(({ accessKeyId }) => accessKeyId)).toEqual(['refreshing-1', 'refreshing-1']);
    now = minutes(60);
    expect((await credentials()).accessKeyId).toBe('refreshing-2');
    expect(asked).toBe(2);
  });

  it('are used until they expire if the renewal fails, then the failure is thrown', async () => {
    now = 0;
    const open = (): Promise<never> => Promise.reject(new Error('refused'));
    const credentials = refreshing(ending('first', minutes(15)), open, { clock });
    now = minutes(15) - 1;
    expect((await credentials()).accessKeyId).toBe('first');
    now = minutes(15);
    await expect(credentials()).rejects.toThrow('refused');
  });

  it('are used after two seconds while the renewal goes on, and replaced when it is done', async () => {
    now = 0;
    let asked = 0;
    let answer: (made: Credentials) => void = () => undefined;
    const open = (): Promise<Credentials> => {
      asked++;
      return new Promise((resolve) => (answer = resolve));
    };
    const credentials = refreshing(ending('first', minutes(15)), open, { clock });
    now = minutes(11);
    const started = performance.now();
    expect((await credentials()).accessKeyId).toBe('first');
    expect(performance.now() - started).toBeLessThan(8000);
    answer(ending('second', minutes(60)));
    expect((await credentials()).accessKeyId).toBe('second');
    expect(asked).toBe(1);
  });

  it('are not used if they end, or are refused, while the renewal is awaited', async () => {
    now = 0;
    let answer: (made: Credentials) => void = () => undefined;
    const open = (): Promise<Credentials> => new Promise((resolve) => (answer = resolve));
    const credentials = refreshing(ending('first', minutes(15)), open, { clock });
    now = minutes(15) - 50;
    const over = credentials();
    now = minutes(15);
    await sleep(100);
    answer(ending('second', minutes(20)));
    expect((await over).accessKeyId).toBe('second');
    now = minutes(16);
    const refused = credentials();
    credentials.forget();
    await sleep(2200);
    answer(ending('third', minutes(40)));
    expect((await refused).accessKeyId).toBe('third');
  });

  it('are not asked for again within seconds of a failed renewal, unless they are over', async () => {
    now = 0;
    let asked = 0;
    const open = (): Promise<never> => Promise.reject(new Error(`refused ${++asked}`));
    const credentials = refreshing(ending('first', minutes(15)), open, { clock });
    now = minutes(15) - 8000;
    for (let count = 0; count < 3; count++) expect((await credentials()).accessKeyId).toBe('first');
    expect(asked).toBe(1);
    now += 7000;
    expect((await credentials()).accessKeyId).toBe('first');
    expect(asked).toBe(2);
    now += 1000;
    await expect(credentials()).rejects.toThrow('refused 3');
  });
});
