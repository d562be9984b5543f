/** Somebody who clones the project changes it by the table of docs/architecture.md, and gets the tests red, then green. */
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { describeWhere } from './support/needs.ts';
import { hasRest, it, itInRest } from './support/parts.ts';

const root = dirname(import.meta.dirname);
const guide = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const section = /^### An input of the action\n(.*?)^### /ms.exec(guide)?.[1] ?? '';
const touched = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, path = '']) => path);

describe('the table of what to change where', () => {
  it('names files that are there for an input of the action', () => {
    expect(touched).toEqual(
      expect.arrayContaining(['action.yml', 'src/action/input.ts', '__tests__/action/inputs.test.ts']),
    );
    expect(touched.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(section).toContain('npm run docs');
  });
});

const describeClone = describeWhere(existsSync(join(root, '.git')), 'a clone needs the repository itself');
if (hasRest)
  describeClone('a new contributor', () => {
    let clone: string;

    beforeAll(() => {
      clone = join(mkdtempSync(join(tmpdir(), 'contributor-')), 'clone');
      execFileSync('git', ['clone', '--quiet', '--depth', '1', `file://${root}`, clone]);
      symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
    });
    afterAll(() => {
      rmSync(dirname(clone), { recursive: true });
    });

    /** As in a terminal of the contributor's, who knows nothing of this run of the tests. */
    const npm = (...args: readonly string[]): SpawnSyncReturns<string> => {
      const hidden = /^(JEST_|SUITE_|TESTS$|LOCAL_AWS_|npm_|NODE_OPTIONS$|INIT_CWD$)/;
      const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !hidden.test(name)));
      const PATH = [join(clone, 'node_modules/.bin'), env['PATH'] ?? ''].join(delimiter);
      return spawnSync('npm', args, { cwd: clone, env: { ...env, PATH }, encoding: 'utf8' });
    };
    const change = (path: string, from: string | RegExp, to: string): void => {
      const before = readFileSync(join(clone, path), 'utf8');
      const after = before.replace(from, to);
      expect(after).not.toBe(before);
      writeFileSync(join(clone, path), after);
    };
    const unitTests = ['action-file', 'action/inputs'];
    const test = (): SpawnSyncReturns<string> => npm('test', '--', ...unitTests, '--maxWorkers=1');

    itInRest("changes an input's default and description by the table, and gets a green test", () => {
      change('action.yml', /(timeout-seconds:\n(?: {4}.*\n)*? {4}default: )'?120'?/, "$1'90'");
      change(
        'action.yml',
        'How many seconds the whole step may take.',
        'The most seconds that the step may take.',
      );
      const red = test();
      expect([red.status, red.stderr]).toEqual([
        1,
        expect.stringContaining('has the same defaults as an empty input'),
      ]);
      change('src/action/input.ts', "'timeout-seconds': '120'", "'timeout-seconds': '90'");
      change('__tests__/action/inputs.test.ts', 'timeoutSeconds: 120', 'timeoutSeconds: 90');
      const stale = npm('run', 'check:docs');
      expect(stale.status).toBe(1);
      expect(npm('run', 'docs').status).toBe(0);
      expect(npm('run', 'check:docs').status).toBe(0);
      expect(readFileSync(join(clone, 'README.md'), 'utf8')).toMatch(
        /^\| `timeout-seconds` +\| `90` +\| The most seconds that the step may take\. +\|$/m,
      );
      const green = test();
      expect([green.status, green.stderr]).toEqual([0, expect.stringMatching(/^Tests: +\d+ passed/m)]);
      const changed = execFileSync('git', ['diff', '--name-only'], { cwd: clone, encoding: 'utf8' });
      const byHand = changed
        .trim()
        .split('\n')
        .filter((path) => path !== 'README.md');
      expect(touched).toEqual(expect.arrayContaining(byHand));
    });
  });
