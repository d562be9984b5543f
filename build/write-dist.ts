/** `npm run build`: writes dist from scratch. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle, root } from './bundle.ts';

const files = await bundle();
rmSync(join(root, 'dist'), { recursive: true, force: true });
for (const [path, text] of files) {
  const target = join(root, 'dist', path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(`${String(text.length).padStart(8)} dist/${path}`);
}
