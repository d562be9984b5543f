/** `npm run check:dist`: fails if dist differs from a build of the sources, or has files that do not belong to it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, root } from './bundle.ts';

const wanted = await bundle();
const dist = join(root, 'dist');
const entries = existsSync(dist) ? readdirSync(dist, { recursive: true, withFileTypes: true }) : [];
const there = entries
  .filter((entry) => !entry.isDirectory())
  .map((entry) => join(entry.parentPath, entry.name).slice(dist.length + 1));

const problems = [
  ...there.filter((path) => !wanted.has(path)).map((path) => `leftover: dist/${path}`),
  ...[...wanted.keys()].filter((path) => !there.includes(path)).map((path) => `missing: dist/${path}`),
  ...there
    .filter((path) => wanted.has(path) && wanted.get(path) !== readFileSync(join(dist, path), 'utf8'))
    .map((path) => `stale: dist/${path}`),
];
if (problems.length > 0) {
  console.error([...problems, 'run npm run build and commit dist'].join('\n'));
  process.exitCode = 1;
}
