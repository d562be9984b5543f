/** `npm run soak -- --minutes N`: rounds of mixed use, and how much there is of what could grow. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Sample } from './soak-stage.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const folder = mkdtempSync(join(tmpdir(), 'soak-'));
const file = join(folder, 'samples');
const env = { ...process.env, SOAK_SECONDS: String(Number(values.minutes) * 60), SOAK_FILE: file };
const { status } = spawnSync('npm', ['test', '--', '__tests__/soak/'], { env, stdio: 'inherit' });

const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
const samples = text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Sample);
const tenth = Math.max(1, Math.floor(samples.length / 10));
console.table(
  Object.fromEntries(samples.flatMap((one, at) => (at % tenth === 0 ? [[`round ${at + 1}`, one]] : []))),
);
console.log(
  `${samples.length} rounds in ${values.minutes} minutes: ${status === 0 ? 'nothing failed or grew' : 'FAILED'}`,
);
rmSync(folder, { recursive: true });
process.exitCode = status === 0 && samples.length > 0 ? 0 : 1;
