/** docs/threat-model.md: each promise names a test, and each test is there. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = dirname(import.meta.dirname);

interface Promise {
  readonly what: string;
  readonly tests: readonly { readonly file: string; readonly words: string }[];
}

/** The rows of tables whose last column is `tests`. */
export function promisesIn(markdown: string): Promise[] {
  const promises: Promise[] = [];
  let isTable = false;
  for (const line of markdown.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.length < 3) isTable = false;
    else if (cells.at(-2) === 'tests') isTable = true;
    else if (isTable && !/^-+$/.test(cells[1] ?? '')) {
      const named = [...(cells.at(-2) ?? '').matchAll(/`([\w/-]+)`: "([^"]+)"/g)];
      const tests = named.map(([, file = '', words = '']) => ({ file, words }));
      promises.push({ what: cells[1] ?? '', tests });
    }
  }
  return promises;
}

/** Whether a test of that file has these words in its name. Comments do not count. */
function isThere(file: string, words: string): boolean {
  const path = join(root, '__tests__', `${file}.test.ts`);
  if (!existsSync(path)) return false;
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.some((line) => !/^\s*(\/\/|\*|\/\*)/.test(line) && line.includes(words));
}

describe('the threat model', () => {
  const promises = promisesIn(readFileSync(join(root, 'docs/threat-model.md'), 'utf8'));

  it('has promises', () => {
    expect(promises.length).toBeGreaterThan(25);
  });

  it.each(promises.map(({ what, tests }) => [what, tests] as const))(
    'names a test that is there: %s',
    (_, tests) => {
      expect(tests).not.toEqual([]);
      expect(tests.filter(({ file, words }) => !isThere(file, words))).toEqual([]);
    },
  );

  it('would be refused with a promise that names no test, or one that is gone', () => {
    const rows = [
      '| promise | by what | tests |',
      '| --- | --- | --- |',
      '| one | x | none |',
      '| two | x | `no/file`: "words" |',
    ];
    const [one, two] = promisesIn(rows.join('\n'));
    expect(one?.tests).toEqual([]);
    expect(two?.tests.map(({ file, words }) => isThere(file, words))).toEqual([false]);
    expect(isThere('threat-model', 'a test of a name that nobody' + ' gave')).toBe(false);
  });
});
