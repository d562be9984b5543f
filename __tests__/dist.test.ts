import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const dist = join(dirname(import.meta.dirname), 'dist');
const weigh = (entry: string): number => {
  const files = readdirSync(join(dist, entry)).map((file) => statSync(join(dist, entry, file)).size);
  return files.reduce((sum, size) => sum + size, 0);
};

describe('what a job downloads', () => {
  it('main stays under 1.2 MB, and under 900 kB for its start', () => {
    expect(weigh('main')).toBeLessThan(1_200_000);
    expect(statSync(join(dist, 'main/index.js')).size).toBeLessThan(900_000);
  });

  it('post stays under 60 kB', () => {
    expect(weigh('post')).toBeLessThan(60_000);
  });
});

describe('the programs', () => {
  const folder = join(dist, 'programs');
  const files = readdirSync(folder).filter((file) => file.endsWith('.js'));
  const holding = (text: string): string[] =>
    files.filter((file) => readFileSync(join(folder, file), 'utf8').includes(text));

  /** The files of dist that Node loads for these arguments. */
  function loaded(args: readonly string[]): string[] {
    const hook = `import { registerHooks } from 'node:module'; import { writeSync } from 'node:fs';
      registerHooks({ load: (url, context, next) => (writeSync(2, url + '\\n'), next(url, context)) });`;
    const tracing = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`];
    const { stderr } = spawnSync(process.execPath, [...tracing, join(folder, 'index.js'), ...args], {
      encoding: 'utf8',
    });
    const prefix = `${pathToFileURL(folder).href}/`;
    return stderr.split('\n').flatMap((url) => (url.startsWith(prefix) ? [url.slice(prefix.length)] : []));
  }

  it.each([
    ['ssm-ssh-agent', '--help'],
    ['ssm-ssh-agent', 'exec', '--help'],
    ['ssm-ssh', 'choose'],
  ])('start with under 80 kB: %s %s', (...args) => {
    const names = loaded(args);
    expect(names).toContain('index.js');
    const size = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    expect(size).toBeLessThan(80_000);
  });

  it('contain no code of the runner', () => {
    expect(holding('GITHUB_STEP_SUMMARY')).toEqual([]);
    const main = readFileSync(join(dist, 'main/index.js'), 'utf8');
    expect(main).toContain('GITHUB_STEP_SUMMARY');
  });
});
