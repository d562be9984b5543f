/** Finds the program of a command, as a shell would, and tells why it cannot be started. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** @returns undefined if no folder of PATH has such a file that can be started */
export function programOnPath(name: string, { PATH = '' }: Environment): string | undefined {
  const paths = PATH.split(delimiter).map((folder) => join(folder || '.', name));
  return paths.find((path) => problemWith(path) === undefined);
}

export type ProgramProblem = 'missing' | 'not executable' | 'noexec';

/**
 * `noexec`: the file's mode allows it, but the disk that it is on does not.
 *
 * @source access(2), EACCES; mount(8), noexec
 */
export function problemWith(path: string): ProgramProblem | undefined {
  if (!existsSync(path)) return 'missing';
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? undefined : 'not executable';
  } catch {
    return (statSync(path).mode & 0o111) === 0 ? 'not executable' : 'noexec';
  }
}

/** The first word of a shell command, without its quotes. `sh PROGRAM` and `!PROGRAM` are commands of PROGRAM. */
export function programOf(command: string): string {
  const text = command.trim().replace(/^!\s*/, '');
  const words = [...text.matchAll(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+/g)].map(([word]) => unquoted(word));
  const [first = '', second = ''] = words;
  return /^(\/bin\/)?sh$/.test(first) && second !== '' ? second : first;
}

function unquoted(word: string): string {
  return word.replace(/'[^']*'|"[^"]*"|\\./g, (part) =>
    part.startsWith('\\') ? part.slice(1) : part.slice(1, -1),
  );
}
