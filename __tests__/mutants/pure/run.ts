/**
 * `npm run test:mutants -- pure [FOLDER|FILE]`: tries each of Stryker's mutants of the pure files, prints the survivors
 * and the score of each folder, and exits with 1 below 90%.
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
// @ts-expect-error the lint configuration has no types
import * as lint from '../../../eslint.config.js';
import { explained } from './explained.ts';
import { wholeFolders } from './folders.ts';
import { instrument } from './instrumented.ts';
import { scoresOf, unmatched, verdictsWith } from './score.ts';
import { tryAll, type Verdict } from './try-all.ts';

const { pureFiles } = lint as unknown as { readonly pureFiles: readonly string[] };
const LEAST_SCORE = 90;
const root = join(import.meta.dirname, '../../..');

export async function runPure(places: readonly string[]): Promise<void> {
  const wanted = places.length === 0 ? wholeFolders : places;
  const files = globSync([...pureFiles], { cwd: root })
    .filter((file) => !file.endsWith('.d.ts'))
    .filter((file) =>
      wanted.some((place) => file === place || file.startsWith(`${place.replace(/\/$/, '')}/`)),
    )
    .sort();
  if (files.length === 0) throw new Error(`no pure file: ${wanted.join(' ')}`);
  const instrumented = await instrument(root, files);
  console.log(`${String(files.length)} files, ${String(instrumented.mutants.length)} mutants`);
  let count = 0;
  const report = (verdict: Verdict): void => {
    count += 1;
    if (count % 500 === 0) console.log(`${String(count)} tried`);
    const { mutant, outcome } = verdict;
    if (outcome === 'survived' || outcome === 'no test') {
      if (explained.some((entry) => entry.matches(mutant))) return;
      console.log(`${outcome}: ${mutant.file}:${String(mutant.line)} ${mutant.was}  →  ${mutant.becomes}`);
    }
  };
  const workers = Math.min(2, availableParallelism());
  const { verdicts, failing } = await tryAll(root, instrumented, { workers, report });
  for (const name of failing) console.log(`fails without any mutant, not used: ${name}`);
  const judged = verdictsWith(verdicts, explained);
  const scores = scoresOf(judged, wholeFolders);
  console.table(scores);
  const stale = unmatched(judged, explained, files);
  for (const { entry, why } of stale) console.log(`explained.ts: ${entry.file}: ${entry.change}: ${why}`);
  if (stale.length > 0 || scores.some(({ score }) => score < LEAST_SCORE)) process.exitCode = 1;
}
