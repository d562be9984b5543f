import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { itWhere } from '../support/needs.ts';

const project = dirname(dirname(import.meta.dirname));
const guard = join(project, 'build/needs-node-24.cjs');

/** A Node of this machine that cannot run TypeScript. */
const old = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .filter((file) => existsSync(file))
  .find((file) =>
    /^v(20|22\.([0-9]|1[0-7])\.)/.test(spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout),
  );

describe("the scripts of npm, where the project's own Node is missing", () => {
  it('all look at which Node runs them', () => {
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const starting = Object.values(scripts).filter((line) => line.startsWith('node '));
    expect(starting.length).toBeGreaterThan(10);
    for (const line of starting) expect(line).toMatch(/^node -r \.\/build\/needs-node-24\.cjs /);
  });

  it('run on the Node that has them run now', () => {
    const { status, stdout } = spawnSync(process.execPath, ['-r', guard, '-p', '1'], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '1\n']);
  });

  itWhere(old !== undefined, 'no Node before 22.18 is on PATH')(
    'say on an older Node what to type, instead of a trace',
    () => {
      const { status, stdout, stderr } = spawnSync(old ?? '', ['-r', guard, join(project, 'demo/demo.ts')], {
        encoding: 'utf8',
      });
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^this is Node 2[^]*\n\n {2}npm rebuild node --ignore-scripts=false\n/);
      expect(stderr).not.toContain('ERR_');
    },
  );
});
