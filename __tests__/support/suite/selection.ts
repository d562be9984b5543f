/** Selects the test files of `npm test`, `test:unit`, `test:rest` and `test:all`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type Selection = 'usual' | 'unit' | 'rest' | 'all';

/** `npm test` skips the tests of our own AWS, git host and runner: only changes in `__tests__/support` break them. */
const isRest = (file: string): boolean => file.startsWith(join('__tests__', 'support-tests'));
/** A file with a sample for `npm test`. */
const hasParts = /from '\S*\/parts\.ts'/;

/** Jest's options whose value may be the next argument, and names no tests. */
const withValue = new Set(['--maxWorkers', '--seed', '--shard', '--testTimeout', '-w']);

/** For `npm test`: everything in the named files or with the named tests, or the default selection. */
export function defaultSelection(args: readonly string[]): Selection {
  const isName = (arg: string, place: number): boolean =>
    !arg.startsWith('-') && !withValue.has(args[place - 1] ?? '');
  return args.some(isName) ? 'all' : 'usual';
}

/** Paths relative to the project's root. */
export function selectTests(root: string, selection: Selection): string[] {
  const files = readdirSync(join(root, '__tests__'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('__tests__', name));
  if (selection === 'all') return files;
  if (selection === 'rest') {
    return files.filter((file) => isRest(file) || hasParts.test(readFileSync(join(root, file), 'utf8')));
  }
  const usual = files.filter((file) => !isRest(file));
  if (selection === 'usual') return usual;
  return usual.filter((file) => startsNothing(join(root, file)));
}

/** Programs and servers are started through one of these. Imports of the product do not count. */
const starting =
  /from '(node:(child_process|cluster|dgram|http|https|net|tls|worker_threads)|ws|ssh2|\S*\/src\/runner\.ts)'/;

/** Whether the file is a unit test. start-nothing.ts enforces it. */
export function startsNothing(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return true;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  if (starting.test(text)) return false;
  const imported = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, path = '']) => join(dirname(file), path));
  return imported
    .filter((path) => path.includes('__tests__') && existsSync(path))
    .every((path) => startsNothing(path, seen));
}
