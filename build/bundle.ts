/** Builds the files of dist in memory: `tsc`, then ncc for each entry, then swc's minifier for every chunk. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { minify } from '@swc/core';
import { compileModulesAtOnce } from './eager-modules.ts';
import { licencesOf, packagesIn, type BundledModule, type BundledPackage } from './packages-in-bundle.ts';
import { setPackagesAside } from './set-aside.ts';

/** The part of ncc that is used here; the package has no types. */
type Ncc = (
  entry: string,
  options: object,
) => Promise<{
  code: string;
  assets: Record<string, { source: Buffer | string }>;
  stats: { toJson: (options: object) => { modules: BundledModule[] } };
}>;
const ncc = createRequire(import.meta.url)('@vercel/ncc') as Ncc;

export const root = dirname(import.meta.dirname);

/** The folder in dist → the compiled entry. */
const entries = {
  main: 'lib/src/main.js',
  post: 'lib/src/post.js',
  programs: 'lib/helper/programs.js',
} as const;

/** Path below dist → its text. Reproducible: it depends on no time and no folder. */
export async function bundle(): Promise<Map<string, string>> {
  compile();
  setPackagesAside(root);
  const files = new Map<string, string>();
  const packages: Record<string, readonly string[]> = {};
  for (const [name, entry] of Object.entries(entries)) {
    const made = await bundleEntry(join(root, entry));
    for (const [file, text] of made.files) files.set(`${name}/${file}`, text);
    packages[name] = made.packages.map((one) => `${one.name}@${one.version}`);
    // The licenses are in separate files: a job downloads the bundles only to run them.
    if (made.packages.length > 0) files.set(`licenses/${name}.txt`, licencesOf(made.packages));
  }
  files.set('packages.json', `${JSON.stringify(packages, null, 2)}\n`);
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function compile(): void {
  rmSync(join(root, 'lib'), { recursive: true, force: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc6');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'build/tsconfig.json')], { stdio: 'inherit' });
}

interface Bundle {
  readonly files: ReadonlyMap<string, string>;
  readonly packages: readonly BundledPackage[];
}

async function bundleEntry(entry: string): Promise<Bundle> {
  // ncc takes path mappings from tsconfig.json in the working directory. These choose ES modules for packages with a
  // "node" condition for CommonJS: tree shaking makes them about half as large.
  process.chdir(join(root, 'build/es-modules'));
  const { code, assets, stats } = await ncc(entry, {
    cache: false,
    esm: true,
    quiet: true,
    mainFields: ['module', 'main'],
  });
  process.chdir(root);
  for (const [name, { source }] of Object.entries({ 'index.js': { source: code }, ...assets })) {
    const missing = /eval\("require"\)\("(\.[^"]+)"\)/.exec(source)?.[1];
    if (missing !== undefined) throw new Error(`${name} imports ${missing}, which ncc did not find`);
  }
  const files = new Map([['index.js', await shrink(code)]]);
  for (const [name, { source }] of Object.entries(assets)) {
    // ncc's own minifier skips the chunks, which are most of the code.
    files.set(name, name.endsWith('.js') ? await shrink(String(source)) : String(source));
  }
  const { modules } = stats.toJson({ all: false, ids: true, modules: true, nestedModules: true });
  return { files, packages: packagesIn(modules, 'ssm-ssh-agent') };
}

async function shrink(code: string): Promise<string> {
  // 0 passes: as many as change something.
  const { code: small } = await minify(code, {
    module: true,
    ecma: 2020,
    compress: { passes: 0 },
    mangle: true,
    format: { comments: false },
  });
  return compileModulesAtOnce(small);
}
