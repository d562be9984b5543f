/** `npm run test:leaks`: all situations, and a table of what was searched. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LeakRecord } from './leaks.ts';

const folder = mkdtempSync(join(tmpdir(), 'leaks-'));
const file = join(folder, 'records');
const env = { ...process.env, LEAKS: 'all', LEAKS_FILE: file };
const started = performance.now();
const words = ['__tests__/leaks/', '__tests__/e2e/key-secrecy', '--maxWorkers=2'];
const { status } = spawnSync('npm', ['test', '--', ...words], { env, stdio: 'inherit' });
const seconds = Math.round((performance.now() - started) / 1000);

const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
const records = text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as LeakRecord);
const situations = records.filter(({ name }) => /^(action|programs): /.test(name));
const sum = (name: Exclude<keyof LeakRecord, 'name'>): number =>
  situations.reduce((so, one) => so + one[name], 0);
console.table(situations.toSorted((one, other) => one.name.localeCompare(other.name)));
console.log(
  `${situations.length} situations, ${sum('calls')} system calls, ${sum('texts')} files and texts, ` +
    `${sum('permitted')} permitted ways of secrets, leaked: ${sum('leaked')} (${seconds} seconds)`,
);
rmSync(folder, { recursive: true });
process.exitCode = status === 0 && situations.length > 0 && sum('leaked') === 0 ? 0 : 1;
