/** The message of a TIMEOUT. */
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
  it('is THROTTLED if AWS limited the rate of calls until the end', () => {
    expect(after(['ssm', slow])).toMatchObject({
      code: 'THROTTLED',
      message: 'ssm limits the rate of calls, and loading the keys took longer than 3 seconds',
      hint: 'run it again later, or give it more time: raise timeout-seconds',
    });
  });

  it('is TIMEOUT with what took the time', () => {
    expect(after(['ssm', slow], ['sts', deaf])).toMatchObject({
      code: 'TIMEOUT',
      message: 'sts did not answer, and loading the keys took longer than 3 seconds',
    });
  });

  it('does not name trouble that has passed', () => {
    expect(after(['ssm', slow], ['sts', deaf], ['sts', undefined], ['ssm', undefined])).toBe(late);
    expect(after(['sts', deaf], ['ssm', slow], ['ssm', undefined])).toMatchObject({ code: 'TIMEOUT' });
  });

  it('does not change other failures', () => {
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
