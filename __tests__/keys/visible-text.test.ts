import { describe, expect, it } from '@jest/globals';
import { Failure, toFailure } from '../../src/errors.ts';
import { visible } from '../../src/keys/visible-text.ts';

describe('foreign text', () => {
  it.each([
    ['a line end', 'a\n::stop-commands::x', 'a\\n::stop-commands::x'],
    ['a carriage return', 'denied\r\n::x', 'denied\\r\\n::x'],
    ['an escape sequence', '\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['an 8-bit control character', '\u009b31m', '\\x9b31m'],
    ['a change of the text direction', 'a\u202eb', 'a\\u202eb'],
    ['a line separator', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['a command of the runner inside a line', 'x ##[add-mask]y', 'x ##\\x5badd-mask]y'],
    ['letters of any language, unchanged', 'Straße \\n 名前 😀', 'Straße \\n 名前 😀'],
  ])('is shown with %s', (_, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('stays on one line in every failure and thrown error', () => {
    const failure = new Failure('TARGET_NOT_FOUND', 'Name=a\n::x::', { hint: 'b\r\u001b[2J' });
    expect(failure.render('ssm-ssh')).toBe('ssm-ssh: TARGET_NOT_FOUND: Name=a\\n::x::\nhint: b\\r\\x1b[2J');
    expect(toFailure(new Error('a\n::x::')).message).toBe('Error: a\\n::x::');
  });
});
