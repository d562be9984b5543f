import { describe, expect, it } from '@jest/globals';
import { parseKeyLine } from '../../src/keys/key-line.ts';
import { readSigningLines, renderSigningLines } from '../../src/keys/signing-lines.ts';

describe('the lines of keys that our agent signs with', () => {
  const lines = [
    '/ci/key github.com/acme',
    'kms:alias/deploy uses=5 github.com/acme/lib',
    'new:ed25519 ca=kms:alias/ca principals=deploy force-command=rsync%20-a',
  ].map(parseKeyLine);

  it('are read with the numbers of their routes, without the stored keys', () => {
    const text = renderSigningLines(lines);
    expect(text).not.toContain('/ci/key');
    expect([...readSigningLines(text)]).toEqual([
      [1, lines[1]],
      [2, lines[2]],
    ]);
  });

  it('are none where all keys are stored, and in a folder of another version', () => {
    expect(renderSigningLines(lines.slice(0, 1))).toBe('');
    expect(readSigningLines('').size).toBe(0);
  });
});
