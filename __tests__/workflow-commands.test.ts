/** The workflow commands that the project writes itself. */
import { expect, it } from '@jest/globals';
import { maskCommands } from '../src/workflow-commands.ts';

it('mask each secret in a line of its own, with the characters escaped that end or change a command', () => {
  expect(maskCommands(['first', '100% %0A', 'two\r\nlines'])).toBe(
    '::add-mask::first\n::add-mask::100%25 %250A\n::add-mask::two%0D%0Alines',
  );
});
