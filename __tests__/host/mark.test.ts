import { describe, expect, it } from '@jest/globals';
import { isLive, markFor } from '../../src/host/mark.ts';

describe('the mark of a key', () => {
  it('is valid for the lifetime of the key, by the clock of this boot', async () => {
    const [boot, until] = (await markFor(5)).split(' ');
    const now = Number(until) - 5;
    expect(await isLive(`${boot} ${until}`)).toBe(true);
    expect(await isLive(`${boot} ${now - 1}`)).toBe(false);
    expect(await isLive(`another ${until}`)).toBe(false);
  });

  it('has no end if the key has none', async () => {
    const mark = await markFor(0);
    expect([mark.endsWith(' 0'), await isLive(mark)]).toEqual([true, true]);
  });

  it.each(['', ' ', 'x', '0', '1'])(
    'is invalid if the file has %j, as an earlier version wrote it',
    async (text) => {
      expect(await isLive(text)).toBe(false);
    },
  );
});
