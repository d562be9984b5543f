/** Makes control characters in foreign text visible before it is printed. Pure. helper/ssm-ssh has the same in shell. */

/** Characters that end a line, move a terminal's cursor, or change the direction of text. */
const controls = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * The Actions runner reads `##[` as the start of a command anywhere in a line.
 *
 * @source actions/runner, src/Runner.Common/ActionCommand.cs, TryParse
 */
const commandPrefix = /##\[/g;

/** Returns one line. Visible characters do not change, not even backslashes: the text is only for reading. */
export function visible(text: string): string {
  return text.replace(controls, escape).replace(commandPrefix, '##\\x5b');
}

function escape(character: string): string {
  const code = character.charCodeAt(0);
  const hex = (length: number): string => code.toString(16).padStart(length, '0');
  return names[character] ?? (code < 0x100 ? `\\x${hex(2)}` : `\\u${hex(4)}`);
}
