/** What is shown of texts that others chose and that may hold a secret: URLs, commands, names. Pure. */
import { withoutSecrets } from './secret-text.ts';
import { withoutPasswords } from './url-text.ts';
import { visible } from './visible-text.ts';

/** One line without secrets and without control characters. A text that was shown before does not change. */
export function shown(text: string): string {
  return visible(withoutSecrets(withoutPasswords(text)));
}

/** A word of sh at the start of a command that is only a path or a name. */
const program = /^\s*(?:'([^'$`\n]+)'|"([^"$`\\\n]+)"|([\w./~:@%+-]+))(?=\s|$)/;

/**
 * The program of an ssh command or of a credential helper. Its arguments may be passwords (`sshpass -p`), and so may the
 * rest of a shell command.
 *
 * @param command as git's configuration has it
 */
export function shownCommand(command: string): string {
  const [start = '', single, double, plain] = program.exec(command) ?? [];
  const name = single ?? double ?? plain;
  if (name === undefined) return 'a shell command';
  const rest = command.slice(start.length).trim();
  return rest === '' ? shown(name) : `${shown(name)} (its arguments are not shown)`;
}
