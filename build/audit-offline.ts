/** `npm run audit:offline`: what can be said about the packages of others without a network. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  bundledPackages,
  bundleProblems,
  installationProblems,
  lockedAs,
  lockedPackages,
  lockProblems,
  manifestProblems,
  scriptProblems,
  withInstallScripts,
  type Bundled,
  type Lock,
  type Manifest,
} from './supply-chain.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
const manifest = read('package.json') as Manifest;
const lock = read('package-lock.json') as Lock;
const isBuilt = existsSync(join(root, 'dist/packages.json'));
const bundled = isBuilt ? (read('dist/packages.json') as Bundled) : {};

function versionIn(folder: string): string | undefined {
  const described = join(folder, 'package.json');
  if (!existsSync(join(root, described))) return undefined;
  return (read(described) as { readonly version: string }).version;
}

/** `MIT 4, ISC 1` */
function counted(values: readonly string[]): string {
  const kinds = [...new Set(values)].sort();
  return kinds.map((kind) => `${kind} ${values.filter((value) => value === kind).length}`).join(', ');
}

/** npm's own setting: without it, npm runs the scripts that nobody has answered for. */
const npmrc = readFileSync(join(root, '.npmrc'), 'utf8').split('\n');
const settings = ['omit-lockfile-registry-resolved=true']
  .filter((line) => !npmrc.includes(line))
  .map((line) => `.npmrc: write ${line}`);

const problems = [
  ...settings,
  ...(isBuilt ? [] : ['dist/packages.json is missing: run npm run build']),
  ...manifestProblems(manifest, lock),
  ...lockProblems(lock),
  ...scriptProblems(manifest, lock),
  ...bundleProblems(bundled, lock),
  ...installationProblems(lock, versionIn),
];

const inDist = bundledPackages(bundled);
const licences = inDist.map((named) => lockedAs(lock, named)?.license ?? 'no licence');
const scripts = withInstallScripts(lock);
const allowed = scripts.filter((name) => manifest.allowScripts[name] === true);
const installed = lockedPackages(lock).filter(([folder]) => versionIn(folder) !== undefined);
console.log(`checked ${Object.keys(manifest.devDependencies).length} dependencies for one exact version, the one of package-lock.json
checked ${lockedPackages(lock).length} packages of package-lock.json for a SHA-512, and for addresses
checked ${scripts.length} packages with install scripts: ${allowed.join(', ')} may run them, the others may not
checked ${inDist.length} packages in dist: ${counted(licences)}
checked ${installed.length} installed packages for the version of package-lock.json
not checked: known vulnerabilities. Their list is not here; npm audit asks the registry for it
problems: ${problems.length}`);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
