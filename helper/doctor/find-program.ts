/** Finds the program of a command, as a shell would, and tells why it cannot be started. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** @returns undefined if no folder of PATH has such a file that can be started */
export function programOnPath(name: string, env: Environment): string | undefined {
  return pathsOnPath(name, env).find((path) => problemWith(path) === undefined);
}

/** Where the system looks for a program: a name with a slash is a path. */
export function pathsOf(program: string, env: Environment): string[] {
  return program.includes('/') ? [program] : pathsOnPath(program, env);
}

function pathsOnPath(name: string, { PATH = '' }: Environment): string[] {
  return PATH.split(delimiter).map((folder) => join(folder || '.', name));
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

/** The first word of a command that git starts without a shell, without its quotes. */
export function firstWordOf(command: string): string {
  return unquoted(wordsOf(command)[0] ?? '');
}

/**
 * The program of a shell command: behind variables, `exec`, `env` and `sh`, with the home folder in place of `~` and `$HOME`.
 * A helper's command begins with `!`.
 *
 * @returns undefined if only a shell can tell
 */
export function programOf(command: string, { HOME = '' }: Environment): string | undefined {
  const text = command.replace(/^\s*!/, '');
  const bare = text.replace(/'[^']*'|\\./gs, '');
  if (/`|\$\(/.test(bare) || /[;&|<>()\n]/.test(bare.replace(/"[^"]*"/g, ''))) return undefined;
  const words = wordsOf(text);
  const start = words.findIndex((word) => !/^(\w+=.*|exec|env)$/s.test(word));
  const [first = '', second = ''] = start < 0 ? [] : words.slice(start);
  const word = /^(\/bin\/)?sh$/.test(first) && second !== '' ? second : first;
  const home = /^(?:~(?=\/)|("?)\$(?:HOME(?!\w)|\{HOME\}))/;
  const rest = word.replace(home, '$1');
  const isOpen = /^[-~]/.test(rest) || rest.replace(/'[^']*'|\\./gs, '').includes('$');
  if (isOpen || (rest !== word && HOME === '')) return undefined;
  return `${rest === word ? '' : HOME}${unquoted(rest)}`;
}

function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+/g)].map(([word]) => word);
}

function unquoted(word: string): string {
  return word.replace(/'[^']*'|"[^"]*"|\\./g, (part) =>
    part.startsWith('\\') ? part.slice(1) : part.slice(1, -1),
  );
}
