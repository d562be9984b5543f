import { describe, expect, it } from '@jest/globals';
import { Failure, toFailure } from '../../src/errors.ts';
import { visible } from '../../src/keys/visible-text.ts';

describe('text of others', () => {
  it.each([
    ['a line end', 'a\n::stop-commands::x', 'a\\n::stop-commands::x'],
    ['a carriage return', 'denied\r\n::x', 'denied\\r\\n::x'],
    ['an escape sequence', '\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['a control character of eight bits', '\u009b31m', '\\x9b31m'],
    ['a change of direction', 'a\u202eb', 'a\\u202eb'],
    ['a separator of lines', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['a command of the runner inside a line', 'x ##[add-mask]y', 'x ##\\x5badd-mask]y'],
    ['letters of any language, as they are', 'Straße \\n 名前 😀', 'Straße \\n 名前 😀'],
  ])('is shown with %s', (_, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('stays in its line in every failure, and in what was thrown', () => {
    const failure = new Failure('TARGET_NOT_FOUND', 'Name=a\n::x::', { hint: 'b\r\u001b[2J' });
    expect(failure.render('ssm-ssh')).toBe('ssm-ssh: TARGET_NOT_FOUND: Name=a\\n::x::\nhint: b\\r\\x1b[2J');
    expect(toFailure(new Error('a\n::x::')).message).toBe('Error: a\\n::x::');
  });
});
