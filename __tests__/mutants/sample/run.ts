/**
 * `npm run test:mutants -- COUNT SEED`: breaks COUNT places of src and helper, one at a time, in a copy of the tree.
 * A change that the compiler refuses does not count, and another one is drawn. The tests run in stages, and stop at the
 * first that fails: the unit tests that reach the place, then the tests with programs that do. Both for a limited time,
 * so the score is a lower bound.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compiling } from './type-check.ts';
import { digest, draw, placesIn, type Drawn } from './draw.ts';
import { countsOf, Results, type Verdict } from './results.ts';
import { testsFor, usedTests, type Measured, type Planned } from './tests-for.ts';
import { Tree } from './tree.ts';

const root = join(import.meta.dirname, '../../..');

interface Wish {
  /** Numbers of changes. */
  readonly wanted: (id: number) => boolean;
  /** Seconds of tests in each stage. */
  readonly seconds: number;
  /** All of `npm test` for a change that survives. */
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
      results: { type: 'string' },
      seconds: { type: 'string', default: '40' },
      whole: { type: 'boolean', default: false },
    },
  });
  const [count = '30', seed = String(Date.now() % 1_000_000)] = positionals;
  const sample = sampleOf(Number(count), Number(seed));
  const sources = sample.map((change) => `${change.file} ${String(change.start)} ${change.text}`);
  const texts = [...new Set(sample.map(({ file }) => file))].map((file) =>
    readFileSync(join(root, file), 'utf8'),
  );
  const results = new Results(values.results, digest([...sources, ...texts].join('\n')));
  const only = values.only?.split(',').map(Number);
  const wanted = (id: number): boolean =>
    only?.includes(id) ??
    (id >= Number(values.from) && id <= Number(values.to ?? count) && !results.verdicts.has(id));
  await tryAll(sample, results, { wanted, seconds: Number(values.seconds), whole: values.whole });
  console.table(countsOf([...results.verdicts.values()]));
}

function sampleOf(count: number, seed: number): Drawn[] {
  const places = placesIn(root);
  console.log(`${String(places.length)} places, seed ${String(seed)}`);
  const drawn = draw(places, 2 * count, seed);
  const accepted = compiling(root, drawn);
  const refused = drawn.length - accepted.length;
  console.log(`of ${String(drawn.length)} the compiler refuses ${String(refused)}`);
  return accepted.slice(0, count).map((change, index) => ({ ...change, id: index + 1 }));
}

async function tryAll(sample: readonly Drawn[], results: Results, wish: Wish): Promise<void> {
  const tree = new Tree(root);
  const stop = (): void => {
    tree.remove();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  try {
    tree.build(sample);
    await measure(tree, results);
    const measured = [...results.measured.values()];
    for (const change of sample.filter(({ id }) => wish.wanted(id))) {
      const verdict = await verdictOn(change, measured, { tree, wish });
      results.judge(verdict);
      print(change, verdict);
    }
  } finally {
    tree.remove();
  }
}

/** Runs the test files without a change, if they are new or have changed since the results began. */
async function measure(tree: Tree, results: Results): Promise<void> {
  const digestOf = (file: string): string => digest(readFileSync(join(root, file), 'utf8'));
  const files = usedTests(root).filter((file) => results.measured.get(file)?.digest !== digestOf(file));
  if (files.length === 0) return;
  const recorder = join(tree.root, '__tests__/mutants/sample/recorder.ts');
  tree.activate('record');
  const started = Date.now();
  const { output } = await tree.jest(files, ['--reporters', recorder, '--silent'], 6 * 3600);
  tree.activate('off');
  let text: string;
  try {
    text = tree.baseline();
  } catch {
    throw new Error(`no test ran:\n${output}`);
  }
  for (const line of text.trim().split('\n')) {
    const entry = JSON.parse(line) as Omit<Measured, 'digest'>;
    results.measure({ ...entry, digest: digestOf(entry.file) });
    if (!entry.passes) console.log(`fails without any change, not used: ${entry.file}`);
  }
  console.log(`${String(files.length)} test files measured (${secondsSince(started)} s)`);
}

const secondsSince = (started: number): string => String(Math.round((Date.now() - started) / 1000));

async function verdictOn(
  change: Drawn,
  measured: readonly Measured[],
  { tree, wish }: { readonly tree: Tree; readonly wish: Wish },
): Promise<Verdict> {
  const { id, file } = change;
  const started = Date.now();
  const { unit, programs } = testsFor(change, measured, { root, seconds: wish.seconds });
  const all = measured.filter(({ passes }) => passes);
  const whole = {
    files: all.map((one) => one.file),
    seconds: all.reduce((sum, one) => sum + one.seconds, 0),
  };
  const stages = Object.entries({ unit, programs, ...(wish.whole && { whole }) });
  const end = { id, file, stage: stages.at(-1)?.[0] as Verdict['stage'], outcome: 'survived' as const };
  tree.activate(change);
  try {
    for (const [stage, planned] of stages as [Verdict['stage'], Planned][]) {
      const by = planned.files.length === 0 ? undefined : await findsIt(tree, planned);
      const seconds = Number(secondsSince(started));
      if (by !== undefined) return { id, file, outcome: 'killed', stage, by, seconds };
    }
    return { ...end, seconds: Number(secondsSince(started)) };
  } finally {
    tree.restore(change, root);
  }
}

/** The first failing test; undefined if all pass. */
async function findsIt(tree: Tree, { files, seconds }: Planned): Promise<string | undefined> {
  const { status, output } = await tree.jest(files, ['--bail', '--silent'], 60 + 5 * seconds);
  if (status === 0) return undefined;
  if (status === undefined) return 'the tests do not end';
  const failed = /^\s*FAIL (\S+)/m.exec(output)?.[1] ?? '';
  const name = /● (?!Console)(?:Test suite failed to run\s+)?(.*)/.exec(output)?.[1];
  return `${failed}: ${name ?? output.trim().split('\n').slice(-3).join(' | ')}`;
}

function print(change: Drawn, { outcome, stage, by = '', seconds }: Verdict): void {
  const line = readFileSync(join(root, change.file), 'utf8').split('\n')[change.line - 1] ?? '';
  console.log(`${String(change.id)}. ${change.file}:${String(change.line)} ${change.what}: ${line.trim()}`);
  console.log(`   ${outcome} (${stage}, ${String(seconds)} s) ${by}`);
}
