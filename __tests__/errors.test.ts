/** Failures: their text, and the conversion of other thrown values. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { catalogue, Failure, toFailure, type Code } from '../src/errors.ts';

const codes = Object.keys(catalogue) as Code[];

describe('a Failure', () => {
  it('has two lines: program, code and message; the hint', () => {
    const failure = new Failure('KEY_EMPTY', '/ci/key is empty', { hint: 'store the key there' });
    expect(failure.render('ssm-ssh')).toBe('ssm-ssh: KEY_EMPTY: /ci/key is empty\nhint: store the key there');
  });

  it('has two lines even with foreign control characters', () => {
    const failure = new Failure('PROVIDER_FAILED', 'a said: b\r\n::error::c\u001b[31m', {
      hint: 'x\n::d\u0085',
    });
    expect(failure.render('ssm-ssh').split(/[\r\n\u0085]/)).toEqual([
      String.raw`ssm-ssh: PROVIDER_FAILED: a said: b\r\n::error::c\x1b[31m`,
      String.raw`hint: x\n::d\x85`,
    ]);
  });

  it('keeps its cause, if there is one', () => {
    const cause = new Error('socket hang up');
    expect(new Failure('TIMEOUT', 'x', { hint: 'y', cause }).cause).toBe(cause);
    expect('cause' in new Failure('TIMEOUT', 'x', { hint: 'y' })).toBe(false);
  });

  it('exits with 2 for wrong user input, and with 1 for everything else', () => {
    const usage = codes.filter((code) => new Failure(code, 'x', { hint: 'y' }).exitCode === 2);
    expect(usage).toEqual(['INPUT_INVALID', 'REGION_MISSING', 'KNOWN_HOSTS_INVALID']);
  });

  it.each(Object.entries(catalogue))(
    '%s has a meaning in lower case, without a full stop: %s',
    (code, meaning) => {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(meaning).toMatch(/^[^\n]*[^.\s]$/);
      expect(meaning).toMatch(/^([a-z]|AWS|ssh|GitHub|EC2)/);
    },
  );
});

describe('any other thrown value', () => {
  it('becomes INTERNAL, with its name and message', () => {
    const error = new TypeError('x is not a function');
    expect(toFailure(error)).toMatchObject({
      code: 'INTERNAL',
      message: 'TypeError: x is not a function',
      hint: expect.stringMatching(/^please report this/) as unknown,
      cause: error,
    });
  });

  it('is not changed if it is a Failure', () => {
    const failure = new Failure('TIMEOUT', 'x', { hint: 'y' });
    expect(toFailure(failure)).toBe(failure);
  });

  it('becomes a Failure, whatever its type', () => {
    const anything = fc.anything({ withNullPrototype: true });
    fc.assert(
      fc.property(anything, (thrown) => toFailure(thrown).code === 'INTERNAL'),
      { examples: [[Object.create(null) as unknown]] },
    );
  });
});
