/**
 * `npm run test:mutants -- COUNT SEED`: breaks COUNT places of src and helper, one at a time, in a copy of the tree.
 * Reports which tests find each fault: those that import the file, all of `npm test`, or only `npm run test:rest`. A
 * fault that the compiler finds does not count.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changed, changesOf, type Change } from './changes.ts';

const [count = '30', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const root = join(import.meta.dirname, '../..');
const tracked = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
const copy = mkdtempSync(join(tmpdir(), 'mutants-'));
// Other users start programs in it.
chmodSync(copy, 0o755);
for (const file of tracked) cpSync(join(root, file), join(copy, file), { recursive: true });
// Some tests ask git for the files of the project.
execFileSync('git', ['init', '-q'], { cwd: copy });
execFileSync('git', ['add', '--all'], { cwd: copy });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

/** mulberry32: the same places for the same seed. */
function randomOf(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const places = tracked
  .filter((file) => /^(src|helper)\//.test(file))
  .flatMap((file) => changesOf(file, readFileSync(join(root, file), 'utf8')));
const random = randomOf(Number(seed));
console.log(`${String(places.length)} places, seed ${seed}`);

/** The first failing test; undefined if all pass. */
function findsIt(tests: string, ...args: string[]): string | undefined {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--no-warnings', '--experimental-vm-modules', jest, '--bail', '--passWithNoTests', ...args],
    { cwd: copy, encoding: 'utf8', env: { ...process.env, TESTS: tests }, maxBuffer: 1 << 28 },
  );
  if (status === 0) return undefined;
  return (
    /● (?!Console)(?:Test suite failed to run\s+)?(.*)/.exec(stderr)?.[1] ??
    stderr.trim().split('\n').slice(-3).join(' | ')
  );
}

function succeeds(...args: string[]): boolean {
  return spawnSync(process.execPath, args, { cwd: copy }).status === 0;
}
const compiles = (): boolean =>
  succeeds(join(root, 'node_modules/typescript/bin/tsc6'), '--noEmit', '-p', 'build/tsconfig.json');
const builds = (): boolean => succeeds('--disable-warning=DEP0187', 'build/write-dist.ts');

/** Undefined if the compiler refuses the change. */
function verdictOn(change: Change): string | undefined {
  const path = join(copy, change.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, changed(source, change));
  try {
    const isShell = !change.file.endsWith('.ts');
    if (!isShell && !compiles()) return undefined;
    const near = isShell ? ['helper/', 'e2e/host'] : ['--findRelatedTests', change.file];
    const byRelated = findsIt(isShell ? 'usual' : 'unit', ...near);
    if (byRelated !== undefined) return `npm test (related): ${byRelated}`;
    if (!isShell && !builds()) return 'the bundle cannot be built';
    const byUsual = findsIt('usual');
    if (byUsual !== undefined) return `npm test: ${byUsual}`;
    const byRest = findsIt('rest');
    return byRest === undefined ? 'NOT FOUND' : `only test:rest: ${byRest}`;
  } finally {
    writeFileSync(path, source);
  }
}

const without = findsIt('usual');
if (without !== undefined) {
  rmSync(copy, { recursive: true });
  throw new Error(`fails without any change: ${without}`);
}
let tried = 0;
while (tried < Number(count)) {
  const change = places[Math.floor(random() * places.length)] as Change;
  const line = readFileSync(join(root, change.file), 'utf8').split('\n')[change.line - 1] ?? '';
  const started = Date.now();
  const verdict = verdictOn(change);
  if (verdict === undefined) continue;
  tried += 1;
  const seconds = String(Math.round((Date.now() - started) / 1000));
  console.log(`${String(tried)}. ${change.file}:${String(change.line)} ${change.what}: ${line.trim()}`);
  console.log(`   ${verdict} (${seconds} s)`);
}
rmSync(copy, { recursive: true });
