/** Durations have the same meaning as in OpenSSH: `ssh -G` parses the same format for ConnectTimeout. */
import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { parseLifetime } from '../../src/keys/lifetime.ts';

/** The seconds that ssh reads; undefined if ssh refuses. */
function toSsh(text: string): number | undefined {
  const args = ['-G', '-F', 'none', '-o', `ConnectTimeout=${text}`, 'example.com'];
  const { status, stdout } = spawnSync('ssh', args, { encoding: 'utf8' });
  const [, seconds] = /^connecttimeout (\d+)$/m.exec(stdout) ?? [];
  return status === 0 && seconds !== undefined ? Number(seconds) : undefined;
}

describe('a duration', () => {
  it.each([
    ['90s', 90],
    ['15m', 900],
    ['6h', 21_600],
    ['1d', 86_400],
    ['2w', 1_209_600],
    ['90', 90],
    ['1h30m', 5400],
    ['1h30', 3630],
    ['1w2d3h4m5s', 788_645],
    ['30m1h', 5400],
    ['1H', 3600],
    ['1h1h', 7200],
    ['007s', 7],
    ['0', 0],
    ['0s', 0],
    ['2147483647', 2_147_483_647],
  ])('%s is %i seconds, as for ssh', (text, seconds) => {
    expect(parseLifetime(text)).toBe(seconds);
    expect(toSsh(text)).toBe(seconds);
  });

  it.each([
    '6 h',
    '6hours',
    'h',
    'forever',
    '-1',
    '1.5h',
    '1e3',
    '0x10',
    '6h!',
    '2147483648',
    '3551w',
    '9'.repeat(400),
  ])('%j is invalid, as for ssh', (text) => {
    expect(parseLifetime(text)).toBeUndefined();
    expect(toSsh(text)).toBeUndefined();
  });

  it.each(['', '+5', ' ', '\n', '6h\n', ' 6h', '１h', '6h 30m', '1h,30m', '1y'])('%j is invalid', (text) => {
    expect(parseLifetime(text)).toBeUndefined();
  });

  it('is refused quickly, however many digits it has', () => {
    const before = performance.now();
    expect(parseLifetime(`${'1'.repeat(26)}!`)).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it('is a number of seconds that ssh-add accepts, or invalid', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom('1', '9', 's', 'm', 'h', 'd', 'w', '')).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const seconds = parseLifetime(text);
        return seconds === undefined || (Number.isInteger(seconds) && seconds >= 0 && seconds <= 0x7fff_ffff);
      }),
      { numRuns: 1000 },
    );
  });
});
