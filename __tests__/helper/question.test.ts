/** What somebody reads who waits for a key. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { hostVoice, tellOfWaiting } from '../../helper/choose/question.ts';

describe('who waits for a key on a host', () => {
  it('is told each warning by the name of the program, on one line', () => {
    let told = '';
    hostVoice((text) => (told += text)).warn('the cache\nis old');
    expect(told).toBe('ssm-ssh: warning: the cache\\nis old\n');
  });

  it('is told of the wait after a second, on a terminal alone', async () => {
    const told: string[] = [];
    for (const terminal of [true, false]) {
      const tell = (text: string): number => told.push(`${terminal} ${text}`);
      tellOfWaiting('/ci/key', { env: {}, terminal, tell, out: tell, helper: '' });
    }
    await sleep(800);
    expect(told).toEqual([]);
    await sleep(400);
    expect(told).toEqual(['true ssm-ssh: reading /ci/key from AWS\n']);
  });
});
