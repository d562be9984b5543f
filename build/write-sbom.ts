/** `npm run sbom`: prints the list of the parts of dist, for the release. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sbomOf } from './sbom.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): never => JSON.parse(readFileSync(join(root, path), 'utf8')) as never;
const bom = sbomOf(read('package.json'), read('package-lock.json'), read('dist/packages.json'));
console.log(JSON.stringify(bom, null, 2));
