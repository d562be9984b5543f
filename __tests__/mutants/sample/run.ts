/**
 * `npm run test:mutants -- COUNT SEED`: breaks COUNT places of src and helper, one at a time, in a copy of the tree.
 * A change that the compiler refuses does not count, and another one is drawn. The tests run in stages, and stop at the
 * first that fails: the unit tests that reach the place, then the tests with programs that do. Both for a limited time,
 * so the score is a lower bound.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Selection } from '../../support/suite/selection.ts';
import type { Change } from '../changes.ts';
import { compiling } from './type-check.ts';
import { digest, draw, placesIn, trackedFiles, type Drawn } from './draw.ts';
import { explanationOf } from './explained.ts';
import { countsOf, Results, type Verdict } from './results.ts';
import {
  allTestsFor,
  programTestsFor,
  unitTestsFor,
  usedTests,
  type Measured,
  type Planned,
  type TestFile,
} from './tests-for.ts';
import { Tree } from './tree.ts';

const root = join(import.meta.dirname, '../../..');
const LEAST_SCORE = 80;

interface Wish {
  /** Numbers of changes. */
  readonly wanted: (id: number) => boolean;
  /** A folder for the tree and the results, for a later run. */
  readonly keep: string | undefined;
  /** Seconds of tests in each stage. */
  readonly seconds: number;
  /** Whether a change that survives gets all that is about it, also what `npm test` leaves out. */
  readonly whole: boolean;
}

export async function runSample(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      from: { type: 'string', default: '1' },
      to: { type: 'string' },
      only: { type: 'string' },
      keep: { type: 'string' },
      seconds: { type: 'string', default: '40' },
      whole: { type: 'boolean', default: false },
    },
  });
  const { keep } = values;
  if (keep !== undefined) mkdirSync(keep, { recursive: true });
  const [count = '30', seed = String(Date.now() % 1_000_000)] = positionals;
  const results = new Results(keep && join(keep, 'results'), digest([count, seed, ...sources()].join('\n')));
  const sample = sampleOf(Number(count), Number(seed), results);
  const only = values.only?.split(',').map(Number);
  const wanted = (id: number): boolean =>
    only?.includes(id) ??
    (id >= Number(values.from) && id <= Number(values.to ?? count) && !results.verdicts.has(id));
  await tryAll(sample, results, { wanted, keep, seconds: Number(values.seconds), whole: values.whole });
  printCounts(sample, results);
}

const sources = (): string[] =>
  trackedFiles(root)
    .filter((file) => /^(src|helper)\//.test(file))
    .map((file) => `${file} ${digest(readFileSync(join(root, file), 'utf8'))}`);

/** Of twice as many places those that compile: the compiler refuses about a third. */
function sampleOf(count: number, seed: number, results: Results): Drawn[] {
  const places = placesIn(root);
  console.log(`${String(places.length)} places, seed ${String(seed)}`);
  const drawn = draw(places, 2 * count, seed);
  if (results.accepted === undefined) {
    const accepted = new Set(compiling(root, drawn));
    results.accept([...drawn.keys()].filter((index) => accepted.has(drawn[index] as Change)));
  }
  const accepted = (results.accepted ?? []).map((index) => drawn[index] as Change);
  console.log(`of ${String(drawn.length)} the compiler refuses ${String(drawn.length - accepted.length)}`);
  return accepted.slice(0, count).map((change, index) => ({ ...change, id: index + 1 }));
}

async function tryAll(sample: readonly Drawn[], results: Results, wish: Wish): Promise<void> {
  const tree = new Tree(root, wish.keep);
  const stop = (): void => {
    tree.remove();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  try {
    if (!tree.isBuilt) tree.build(sample);
    const tests = usedTests(root);
    results.forget((one) => one.digest !== digestOf(one.file));
    const unit = tests.filter(({ isUnit }) => isUnit).map(({ file }) => file);
    await measure(unit, tree, results);
    for (const change of sample.filter(({ id }) => wish.wanted(id))) {
      const verdict = await verdictOn(change, tests, { tree, results, wish });
      results.judge(verdict);
      print(change, verdict);
    }
  } finally {
    tree.remove();
  }
}

const digestOf = (file: string): string => digest(readFileSync(join(root, file), 'utf8'));

/** Runs test files without a change, if no run has done so: gives whether there was any. */
async function measure(files: readonly string[], tree: Tree, results: Results): Promise<boolean> {
  const open = files.filter((file) => !results.measured.has(file));
  if (open.length === 0) return false;
  const started = Date.now();
  const entries = (await tree.record(open)).map((line) => JSON.parse(line) as Omit<Measured, 'digest'>);
  const missing = open.filter((file) => !entries.some((entry) => entry.file === file));
  for (const file of missing) entries.push({ file, passes: false, seconds: 0, reached: [] });
  for (const entry of entries) {
    results.measure({ ...entry, digest: digestOf(entry.file) });
    if (!entry.passes) console.log(`fails without any change, not used: ${entry.file}`);
  }
  console.log(`${String(open.length)} test files measured (${String(secondsSince(started))} s)`);
  return true;
}

const secondsSince = (started: number): number => Math.round((Date.now() - started) / 1000);

interface Run {
  readonly tree: Tree;
  readonly results: Results;
  readonly wish: Wish;
}

async function verdictOn(change: Drawn, tests: readonly TestFile[], run: Run): Promise<Verdict> {
  const { tree, results, wish } = run;
  const { id, file } = change;
  const started = Date.now();
  const { measured } = results;
  const tried = new Set<string>();
  const tryOut = async (plan: Planned): Promise<string | undefined> => {
    const files = plan.files.filter((name) => !tried.has(name));
    for (const name of files) tried.add(name);
    return await findsIt(change, { ...plan, files }, { tree, selection: 'usual' });
  };
  const { seconds, whole } = wish;
  const stages: Partial<Record<Verdict['stage'], () => Promise<string | undefined>>> = {
    unit: async () => await tryOut(unitTestsFor(change, { tests, measured, seconds })),
    programs: async () => {
      const known = tests.filter((one) => measured.has(one.file));
      const by = await tryOut(programTestsFor(change, { tests: known, measured, seconds: seconds / 2 }));
      if (by !== undefined) return by;
      // What does not reach the change gives way to others. More at once takes less time.
      const ahead = { tests, measured, seconds: 2 * seconds };
      while (await measure(programTestsFor(change, ahead).files, tree, results));
      return await tryOut(programTestsFor(change, { tests, measured, seconds }));
    },
    ...(whole && {
      whole: async () => {
        const plan = allTestsFor(change, { tests, measured, seconds: 3600 });
        return await findsIt(change, plan, { tree, selection: 'all' });
      },
    }),
  };
  const end = (): Pick<Verdict, 'id' | 'file' | 'seconds'> => ({ id, file, seconds: secondsSince(started) });
  for (const [stage, find] of Object.entries(stages) as [
    Verdict['stage'],
    () => Promise<string | undefined>,
  ][]) {
    const by = await find();
    if (by !== undefined) return { ...end(), outcome: 'killed', stage, by };
  }
  return { ...end(), outcome: 'survived', stage: whole ? 'whole' : 'programs' };
}

/** The first failing test; undefined if all pass. */
async function findsIt(
  change: Drawn,
  { files, seconds }: Planned,
  { tree, selection }: { readonly tree: Tree; readonly selection: Selection },
): Promise<string | undefined> {
  if (files.length === 0) return undefined;
  tree.activate(change);
  const limit = 60 + 5 * seconds;
  const { status, output } = await tree.jest(files, { selection, limit, args: ['--bail', '--silent'] });
  tree.restore(change, root);
  if (status === 0) return undefined;
  if (status === undefined) return 'the tests do not end';
  const failed = /^\s*FAIL (\S+)/m.exec(output)?.[1] ?? '';
  const name = /● (?!Console)(?:Test suite failed to run\s+)?(.*)/.exec(output)?.[1];
  return `${failed}: ${name ?? output.trim().split('\n').slice(-3).join(' | ')}`;
}

const lineOf = (change: Drawn): string =>
  (readFileSync(join(root, change.file), 'utf8').split('\n')[change.line - 1] ?? '').trim();

function print(change: Drawn, { outcome, stage, by, seconds }: Verdict): void {
  const explanation = explanationOf(change.file, { line: lineOf(change), what: change.what });
  console.log(
    `${String(change.id)}. ${change.file}:${String(change.line)} ${change.what}: ${lineOf(change)}`,
  );
  console.log(`   ${outcome} (${stage}, ${String(seconds)} s) ${by ?? explanation ?? ''}`);
  if (outcome === 'killed' && explanation !== undefined) console.log('   explained.ts: a test kills it');
}

function printCounts(sample: readonly Drawn[], results: Results): void {
  const isExplained = ({ id }: Verdict): boolean => {
    const change = sample[id - 1] as Drawn;
    return explanationOf(change.file, { line: lineOf(change), what: change.what }) !== undefined;
  };
  const counts = countsOf([...results.verdicts.values()], isExplained);
  console.table(counts);
  if (counts.some(({ language, score }) => language === 'both' && score < LEAST_SCORE)) process.exitCode = 1;
}
