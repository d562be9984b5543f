/** The note of a killed job, which somebody else may have written. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf, readNote, renderKept, type Kept } from '../../src/action/kept-tokens.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'note-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const kept: Kept = {
  ...{ apiUrl: 'https://api.github.com', host: 'github.com', username: 'x-access-token', daemon: 'git0' },
  ...{ digest: digestOf('x'), expiresAt: 2_000_000_000 },
};

async function read(...records: readonly string[]): Promise<{ noted: Kept[]; warned: string[] }> {
  const tokens = join(folder, 'tokens');
  writeFileSync(tokens, records.join(''));
  const warned: string[] = [];
  return { noted: await readNote({ tokens }, { warn: (line) => warned.push(line) }), warned };
}

describe('the tokens that a killed job noted', () => {
  it('are those that its action wrote, up to a line that was cut', async () => {
    const server = { ...kept, apiUrl: 'https://git.test/api/v3', host: 'git.test:8443', daemon: 'git1' };
    const cut = renderKept(kept).slice(0, -9);
    expect(await read(renderKept(kept), renderKept(server), cut)).toEqual({
      noted: [kept, server],
      warned: [],
    });
  });

  it.each([
    ...['1.2.3.999', '0x1.9', '[dead:beef]', 'git.test:99999', '.', ''],
    ...['git.test/x', 'a@git.test', 'git test', 'git.test\n', '-'.repeat(3), 'ä.test'],
  ])('do not stop the others by a host that is none: %j', async (host) => {
    const { noted } = await read(renderKept({ ...kept, host }), renderKept(kept));
    expect(noted).toEqual([kept]);
  });

  it('are not sent to the API of another host', async () => {
    const { noted, warned } = await read(renderKept({ ...kept, apiUrl: 'https://git.test/api/v3' }));
    expect([noted, warned]).toEqual([[], [expect.stringContaining('its API is said to be at git.test')]]);
  });
});
