/** `npm run test:kills -- N [SEED]`: N kills, spread over all scenes, and a table of them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KillRecord } from './kills.ts';

const [count = 500, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
const scenes = 8;
const folder = mkdtempSync(join(tmpdir(), 'kills-'));
const file = join(folder, 'records');
const each = Math.max(1, Math.ceil(count / scenes));
const env = { ...process.env, KILLS: String(each), SEED: String(seed), KILLS_FILE: file };
const started = performance.now();
const { status } = spawnSync('npm', ['test', '--', '__tests__/kills', '--maxWorkers=2'], {
  env,
  stdio: 'inherit',
});
const seconds = Math.round((performance.now() - started) / 1000);

const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
const records = text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as KillRecord);
const rowOf = (mine: readonly KillRecord[]) => ({
  runs: mine.length,
  killed: mine.reduce((sum, { hit }) => sum + hit, 0),
  wrong: mine.filter(({ wrong }) => wrong > 0).length,
});
const names = [...new Set(records.map(({ name }) => name))].sort();
const rows = names.map((name) => [name, rowOf(records.filter((one) => one.name === name))] as const);
console.table({ ...Object.fromEntries(rows), all: rowOf(records) });
console.log(`${seconds} seconds, seed ${seed}`);
rmSync(folder, { recursive: true });
process.exitCode = status === 0 && names.length === scenes ? 0 : 1;
