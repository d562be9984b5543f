/** Credentials that are used for longer than a role's session. */
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
});
