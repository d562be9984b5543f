/** What somebody hears who ran out of time. */
import { describe, expect, it } from '@jest/globals';
import { Troubles } from '../../src/aws/troubles.ts';
import { Failure } from '../../src/errors.ts';

const late = new Failure('TIMEOUT', 'loading the keys took longer than 3 seconds', {
  hint: 'raise timeout-seconds',
});
const slow = { what: 'ssm limits the rate of calls', throttled: true };
const deaf = { what: 'sts did not answer', throttled: false };

function after(...notes: Parameters<Troubles['note']>[]): unknown {
  const troubles = new Troubles();
  for (const note of notes) troubles.note(...note);
  return troubles.explain(late);
}

describe('running out of time', () => {
  it('is THROTTLED where AWS limited the rate of calls up to then', () => {
    expect(after(['ssm', slow])).toMatchObject({
      code: 'THROTTLED',
      message: 'ssm limits the rate of calls, and loading the keys took longer than 3 seconds',
      hint: 'run it again later, or give it more time: raise timeout-seconds',
    });
  });

  it('is TIMEOUT with what the time went into', () => {
    expect(after(['ssm', slow], ['sts', deaf])).toMatchObject({
      code: 'TIMEOUT',
      message: 'sts did not answer, and loading the keys took longer than 3 seconds',
    });
  });

  it('says nothing of trouble that is over', () => {
    expect(after(['ssm', slow], ['sts', deaf], ['sts', undefined], ['ssm', undefined])).toBe(late);
    expect(after(['sts', deaf], ['ssm', slow], ['ssm', undefined])).toMatchObject({ code: 'TIMEOUT' });
  });

  it('is not the end of those who were interrupted, or who failed', () => {
    const troubles = new Troubles();
    troubles.note('ssm', slow);
    for (const other of [
      new Failure('TIMEOUT', 'the step was cancelled', { hint: 'none' }),
      new Failure('KEY_NOT_FOUND', 'took longer than', { hint: 'none' }),
      new Error('no'),
    ]) {
      expect(troubles.explain(other)).toBe(other);
    }
  });
});
