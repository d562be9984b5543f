/** `npm run fuzz -- PARSER CASES SEED [--keep] [--short]`: hostile input for one parser, or for all of them. */
import { parseArgs } from 'node:util';
import { addToCorpus, campaign, isAsync } from './campaign.ts';
import { growthProblems } from './growth.ts';
import { asyncTargets, targets } from './targets.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { keep: { type: 'boolean' }, short: { type: 'boolean' } },
});
const [name = 'all', cases = '10000', seed = String(Date.now() % 1_000_000)] = positionals;
const all = [...targets, ...asyncTargets];
const chosen = all.filter((target) => name === 'all' || target.name === name);
if (chosen.length === 0) {
  console.error(`no parser ${name}: write all, or one of ${all.map((target) => target.name).join(', ')}`);
  process.exit(2);
}

/** A call takes some milliseconds. */
const casesOf = (target: (typeof all)[number]): number =>
  Math.ceil(Number(cases) / (name === 'all' && isAsync(target) ? 20 : 1));

const rows: Record<string, unknown> = {};
let wrong = 0;
for (const target of chosen) {
  const started = performance.now();
  const outcome = await campaign(target, { cases: casesOf(target), seed: Number(seed) });
  const every = values.short ? 100 : 1;
  const grown = isAsync(target)
    ? { cases: 0, found: [] }
    : growthProblems(target, { every, from: Number(seed) });
  if (values.keep) addToCorpus(target, outcome.kept);
  const found = [...outcome.found, ...grown.found];
  for (const { input, problem } of found)
    console.error(`${target.name}: ${JSON.stringify(input.slice(0, 400))}\n  ${problem}`);
  wrong += found.length;
  rows[target.name] = {
    ...{
      cases: outcome.cases,
      blocks: outcome.blocks,
      'new inputs': outcome.kept.length,
      'long inputs': grown.cases,
    },
    ...{ wrong: found.length, seconds: Math.round((performance.now() - started) / 1000) },
  };
}
console.table(rows);
console.log(`seed ${seed}, ${wrong} wrong`);
process.exit(wrong === 0 ? 0 : 1);
