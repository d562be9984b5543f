import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { isTrue } from '../../src/git/listing.ts';

/** What git itself takes the value for; it fails for one that is no boolean. */
const byGit = (setting: string): boolean => {
  const argv = ['-c', setting, 'config', '--type=bool', '--get', 'x.y'];
  return spawnSync('git', argv, { encoding: 'utf8' }).stdout.trim() === 'true';
};

describe('a boolean of git', () => {
  it.each([
    ...['true', 'True', 'TRUE', 'yes', 'on', 'On', '1', '7', '01', '+1', '-1', '1k', '1M'],
    ...['', 'false', 'no', 'off', '0', '00', '0k', 'maybe', 'true ', 'y', 't'],
  ])('is read as git reads "%s"', (value) => {
    expect(isTrue(value)).toBe(byGit(`x.y=${value}`));
  });

  it('is true without a value', () => {
    expect(isTrue(undefined)).toBe(byGit('x.y'));
  });
});
