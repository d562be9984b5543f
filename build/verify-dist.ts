/**
 * `npm run verify:dist -- [REVISION] [--package FILE] [--installed]`: builds dist of a commit again, from nothing but that
 * commit, in a new folder, and compares each byte with what the commit has in dist. REVISION is HEAD if it is left out.
 *
 * --package compares a downloaded release with the package that the new build makes.
 * --installed takes the packages that are installed here, in place of `npm ci`: quick, and as good as these packages.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { differences, readFolder, sizeOf } from './compare-files.ts';

const root = dirname(import.meta.dirname);

/** A program whose output is not of interest, unless it fails. */
function run(cwd: string, program: string, ...args: readonly string[]): string {
  const PATH = [join(cwd, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  return execFileSync(program, args, {
    cwd,
    env: { ...process.env, PATH },
    stdio: [...stdio],
    encoding: 'utf8',
  });
}

/** The files of the commit alone: nothing that lies in the checkout besides. */
function unpackCommit(commit: string, folder: string): void {
  const archive = join(dirname(folder), 'commit.tar');
  run(root, 'git', 'archive', '--format=tar', `--output=${archive}`, commit);
  mkdirSync(folder);
  run(folder, 'tar', '-xf', archive);
}

function linkModules(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkModules(source, target);
    else if (entry.isSymbolicLink()) cpSync(source, target, { verbatimSymlinks: true });
    else linkOrCopy(source, target);
  }
}

/** Another file system takes no hard link. */
function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    cpSync(source, target);
  }
}

/** @returns the folder of the package's files */
function unpackPackage(file: string, into: string): string {
  mkdirSync(into);
  run(into, 'tar', '-xzf', file);
  return join(into, 'package');
}

function compare(below: string, wanted: string, there: string): string[] {
  const [built, given] = [readFolder(wanted), readFolder(there)];
  const problems = differences(built, given, below);
  const same = [...built].filter(([path, bytes]) => given.get(path)?.equals(bytes)).length;
  console.log(`${below}: ${built.size} files with ${sizeOf(built)} bytes were built, ${same} are the same`);
  return problems;
}

function verify(work: string, commit: string, { installed = false, package: file }: Options): string[] {
  const folder = join(work, 'commit');
  unpackCommit(commit, folder);
  if (installed) linkModules(join(root, 'node_modules'), join(folder, 'node_modules'));
  else run(folder, 'npm', 'ci');
  renameSync(join(folder, 'dist'), join(work, 'dist'));
  run(folder, 'npm', 'run', '--silent', 'build');
  const problems = compare('dist', join(folder, 'dist'), join(work, 'dist'));
  if (file === undefined) return problems;
  const [made = ''] = run(folder, 'npm', 'pack', '--silent', '--ignore-scripts').trim().split('\n').slice(-1);
  const own = unpackPackage(join(folder, made), join(work, 'own'));
  return [...problems, ...compare('package', own, unpackPackage(resolve(file), join(work, 'given')))];
}

interface Options {
  readonly installed?: boolean;
  readonly package?: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { installed: { type: 'boolean' }, package: { type: 'string' } },
});
const [revision = 'HEAD'] = positionals;
const commit = run(root, 'git', 'rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`).trim();
const work = mkdtempSync(join(tmpdir(), 'verify-dist-'));
try {
  console.log(`commit ${commit}, built in a new folder${values.installed ? '' : ' after npm ci'}`);
  const problems = verify(work, commit, values);
  console.log(`files that differ: ${problems.length}`);
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exitCode = 1;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
