/**
 * `npm run bench -- [SECTION…]`: measures the sections, or all of them, and writes bench/results.json and
 * bench/RESULTS.md. ROUNDS=N sets the number of rounds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeResults } from './render.ts';
import { loadNow, machine, readResults, type Section } from './results.ts';
import { action } from './sections/action.ts';
import { fleet } from './sections/fleet.ts';
import { load } from './sections/load.ts';
import { doctor } from './sections/doctor.ts';
import { kms } from './sections/kms.ts';
import { size } from './sections/size.ts';
import { proxy } from './sections/proxy.ts';
import { ssmSsh } from './sections/ssm-ssh.ts';

const sections: readonly Section[] = [action, load, size, ssmSsh, kms, proxy, doctor, fleet];
const rounds = Number(process.env['ROUNDS'] ?? 11);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !sections.some((section) => section.name === name));
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(`npm run bench -- [SECTION…]: ${sections.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

for (const section of sections) {
  if (wanted.length > 0 && !wanted.includes(section.name)) continue;
  console.log(`${section.name}: ${section.title}`);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const start = loadNow();
  try {
    const measured = await section.run({ rounds, folder });
    const before = readResults();
    const date = new Date().toISOString().slice(0, 16).replace('T', ' ');
    const result = { date, rounds, load: [start, loadNow()] as const, ...measured };
    const results = { machine: machine(), sections: { ...before.sections, [section.name]: result } };
    await writeResults(results, sections);
    for (const [name, { median, min, max }] of Object.entries(measured.figures))
      console.log(`  ${name}: ${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`);
    for (const what of measured.notRun) console.log(`  not run: ${what}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.exit(0);
