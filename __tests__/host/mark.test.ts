import { describe, expect, it } from '@jest/globals';
import { isLive, markFor } from '../../src/host/mark.ts';

describe('the mark of a key', () => {
  it('holds for the lifetime of the key, by the clock of this start of the machine', async () => {
    const [boot, until] = (await markFor(5)).split(' ');
    const now = Number(until) - 5;
    expect(await isLive(`${boot} ${until}`)).toBe(true);
    expect(await isLive(`${boot} ${now - 1}`)).toBe(false);
    expect(await isLive(`another ${until}`)).toBe(false);
  });

  it('has no end where the key has none', async () => {
    const mark = await markFor(0);
    expect([mark.endsWith(' 0'), await isLive(mark)]).toEqual([true, true]);
  });

  it.each(['', ' ', 'x', '0', '1'])(
    'is none where the file has %j, as the shell of an earlier version wrote it',
    async (text) => {
      expect(await isLive(text)).toBe(false);
    },
  );
});
