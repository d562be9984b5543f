/** Text that others wrote, as it may be printed: control characters are made visible. Pure. helper/ssm-ssh has the same in shell. */

/** Those that end a line, move a terminal's cursor, or turn the direction in which text is read. */
const controls = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * The runner of Actions takes `##[` for the beginning of a command wherever it stands in a line.
 *
 * @source actions/runner, src/Runner.Common/ActionCommand.cs, TryParse
 */
const commandPrefix = /##\[/g;

/** In one line. What is visible stays as it is, backslashes too: this is for reading, not for reading back. */
export function visible(text: string): string {
  return text.replace(controls, escape).replace(commandPrefix, '##\\x5b');
}

function escape(character: string): string {
  const code = character.charCodeAt(0);
  const hex = (length: number): string => code.toString(16).padStart(length, '0');
  return names[character] ?? (code < 0x100 ? `\\x${hex(2)}` : `\\u${hex(4)}`);
}
