/** `npm run verify:dist` in a copy of the project whose dist is not what its sources make. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { differences, readFolder } from '../../build/compare-files.ts';
import { itInRest } from '../support/parts.ts';

const root = dirname(dirname(import.meta.dirname));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verify-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const bytes = (files: Readonly<Record<string, string>>): Map<string, Buffer> =>
  new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));

describe('two folders', () => {
  it('differ by one byte, by a file too many, and by a file too few', () => {
    const built = bytes({ 'main/index.js': 'a\n', 'post/index.js': 'b\n', 'packages.json': '{}' });
    expect(differences(built, new Map(built), 'dist')).toEqual([]);
    const given = bytes({ 'main/index.js': 'a ', 'post/index.js': 'b\n', 'main/1.js': '' });
    expect(differences(built, given, 'dist')).toEqual([
      'leftover: dist/main/1.js',
      'missing: dist/packages.json',
      'stale: dist/main/index.js',
    ]);
  });

  it('are read with all their files, also those in folders and those with bytes that are no text', () => {
    const made = join(folder, 'read');
    mkdirSync(join(made, 'a/b'), { recursive: true });
    writeFileSync(join(made, 'a/b/c'), Buffer.from([0xff, 0xfe]));
    writeFileSync(join(made, 'd'), '');
    expect([...readFolder(made)]).toEqual([
      ['a/b/c', Buffer.from([0xff, 0xfe])],
      ['d', Buffer.alloc(0)],
    ]);
    expect(readFolder(join(made, 'not there')).size).toBe(0);
  });
});

/** The files that git knows or would add, as they are here, in a repository of their own. */
function copyProject(to: string): void {
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const paths = execFileSync('git', listed, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const path of new Set(paths)) cpSync(join(root, path), join(to, path));
}

function commitAll(clone: string): void {
  const git = (...args: readonly string[]): void => {
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
    execFileSync('git', [...who, ...args], { cwd: clone });
  };
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'Copy');
}

describe('a rebuild', () => {
  // One build: that it names these files, and no others, says that all others are the same.
  itInRest('in a new folder finds one changed byte of dist, and of a package that was downloaded', () => {
    const clone = join(folder, 'clone');
    copyProject(clone);
    const post = join(clone, 'dist/post/index.js');
    const text = readFileSync(post, 'utf8');
    writeFileSync(post, `${text.slice(0, 100)}${text[100] === 'x' ? 'y' : 'x'}${text.slice(101)}`);
    appendFileSync(join(clone, 'dist/programs/index.js'), '\n');
    rmSync(join(clone, 'dist/packages.json'));
    writeFileSync(join(clone, 'dist/main/0.index.js'), '');
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts'], { cwd: clone });
    const [made = ''] = readdirSync(clone).filter((name) => name.endsWith('.tgz'));
    cpSync(join(clone, made), join(folder, made));
    rmSync(join(clone, made));
    commitAll(clone);
    symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));

    const args = ['build/verify-dist.ts', '--installed', '--package', join(folder, made)];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: clone, encoding: 'utf8' });
    expect(stderr.trim().split('\n')).toEqual([
      'leftover: dist/main/0.index.js',
      'missing: dist/packages.json',
      'stale: dist/post/index.js',
      'stale: dist/programs/index.js',
      'stale: package/dist/programs/index.js',
    ]);
    expect(stdout).toMatch(/^commit [0-9a-f]{40}, built in a new folder\n/);
    const [, files, same] =
      /^dist: (\d+) files with \d+ bytes were built, (\d+) are the same$/m.exec(stdout) ?? [];
    expect([Number(files) > 100, Number(files) - Number(same)]).toEqual([true, 3]);
    expect([status, stdout]).toEqual([1, expect.stringMatching(/^files that differ: 5$/m)]);
  });

  itInRest('of a revision that does not exist fails, and leaves nothing', () => {
    const args = ['build/verify-dist.ts', '--installed', 'v0.0.0'];
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    expect([status, stdout]).toEqual([1, '']);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('verify-dist-'))).toEqual([]);
  });
});
