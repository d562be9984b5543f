import { describe, expect, it } from '@jest/globals';
import { inTime, programSeconds } from '../../src/process/in-time.ts';

/** Like a program that hangs, and ends with its signal. */
const hangs = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

describe('the time limit of a program', () => {
  it.each([
    [undefined, 30],
    ['', 30],
    ['8s', 8],
    ['2m', 120],
    ['0', 1],
    ['soon', 30],
    // What setTimeout can wait for.
    ['30d', 2_147_483],
  ])('with SSM_SSH_TIMEOUT=%s is %d seconds', (SSM_SSH_TIMEOUT, seconds) => {
    expect(programSeconds({ SSM_SSH_TIMEOUT })).toBe(seconds);
  });

  it('ends it, and names it', async () => {
    const waiting = inTime({ program: 'git config', env: { SSM_SSH_TIMEOUT: '1s' } }, hangs);
    await expect(waiting).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'git config has not answered within 1 seconds',
      hint: 'see why git hangs: run it by hand (command -v git); or raise SSM_SSH_TIMEOUT',
    });
  });

  it('does not change the reason of another signal', async () => {
    const reason = new Error('interrupted');
    const waiting = inTime({ program: 'git', env: {}, signal: AbortSignal.abort(reason) }, async (signal) => {
      signal.throwIfAborted();
      return await hangs(signal);
    });
    await expect(waiting).rejects.toBe(reason);
  });

  it('is over with its work', async () => {
    expect(await inTime({ program: 'git', env: {} }, () => Promise.resolve('done'))).toBe('done');
  });
});
