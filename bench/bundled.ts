/** Bundles a program of this folder as a shipped one: JavaScript, in one file and a few chunks. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

type Ncc = (
  entry: string,
  options: object,
) => Promise<{ code: string; assets: Record<string, { source: Buffer | string }> }>;

export interface Bundled {
  readonly path: string;
  readonly remove: () => void;
}

/** @param program the file's name without the extension, such as `tunnel-pipe` */
export async function bundled(program: string): Promise<Bundled> {
  const root = dirname(import.meta.dirname);
  const folder = mkdtempSync(join(tmpdir(), 'bundled-'));
  const compiled = join(folder, 'compiled');
  const tsc = join(root, 'node_modules/typescript/bin/tsc6');
  const options = ['--noEmit', 'false', '--rootDir', root, '--outDir', compiled];
  // tsc takes all options from a file, and this file names only the program.
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(root, 'node_modules/@types')] },
      files: [join(import.meta.dirname, `${program}.ts`)],
      include: [],
    }),
  );
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, [tsc, '-p', folder, ...options], { stdio: 'inherit' });
  writeFileSync(join(compiled, 'package.json'), '{"type":"module"}');
  const ncc = createRequire(import.meta.url)('@vercel/ncc') as Ncc;
  const entry = join(compiled, 'bench', `${program}.js`);
  const { code, assets } = await ncc(entry, { cache: false, esm: true, quiet: true });
  const target = join(folder, 'bundle');
  mkdirSync(target);
  writeFileSync(join(target, 'index.js'), code);
  for (const [name, { source }] of Object.entries(assets)) writeFileSync(join(target, name), source);
  return {
    path: join(target, 'index.js'),
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
