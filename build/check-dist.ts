/** `npm run check:dist`: fails if dist differs from a build of the sources, or has files that do not belong to it. */
import { join } from 'node:path';
import { bundle, root } from './bundle.ts';
import { differences, readFolder } from './compare-files.ts';

const built = await bundle();
const wanted = new Map([...built].map(([path, text]) => [path, Buffer.from(text)]));
const problems = differences(wanted, readFolder(join(root, 'dist')), 'dist');
if (problems.length > 0) {
  console.error([...problems, 'run npm run build and commit dist'].join('\n'));
  process.exitCode = 1;
}
