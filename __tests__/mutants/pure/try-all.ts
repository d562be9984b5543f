/** Tries mutants in two processes that have loaded the tests. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Instrumented, Mutant } from './instrumented.ts';
import { testFilesFor, type TestFile } from './test-files.ts';
import type { Baseline, MeasuredCase, Order, Outcome, Report, WorkerInput } from './worker.ts';

export interface Verdict {
  readonly mutant: Mutant;
  readonly outcome: Outcome | 'no test';
  readonly by?: string;
}

/** After so many mutants a process gives way to a new one: modules that were loaded again are never freed. */
const LONGEST_LIFE = 400;
const FEWEST_MILLISECONDS = 5000;
/** Milliseconds of tests, and test files, for one mutant. */
const MOST_TESTS = 3000;
const MOST_FILES = 12;

class Worker {
  readonly #input: string;
  #child: ChildProcess | undefined;
  #orders = 0;

  constructor(input: string) {
    this.#input = input;
  }

  async ask(order: Order, limit: number): Promise<Report | undefined> {
    if (this.#orders >= LONGEST_LIFE) this.end();
    this.#child ??= await this.#start();
    this.#orders += 1;
    const answer = Promise.race([
      once(this.#child, 'message').then(([report]) => report as Report),
      once(this.#child, 'exit').then(() => undefined),
      new Promise<undefined>((resolve) => setTimeout(resolve, limit, undefined).unref()),
    ]);
    this.#child.send(order);
    const report = await answer;
    if (report === undefined || (report.kind === 'tried' && report.spoilt === true)) this.end();
    return report;
  }

  async #start(): Promise<ChildProcess> {
    this.#orders = 0;
    const child = fork(join(import.meta.dirname, 'worker.ts'), [this.#input], {
      execArgv: ['--no-warnings', '--max-old-space-size=2048'],
      stdio: ['ignore', 'ignore', process.env['MUTANTS_DEBUG'] === undefined ? 'ignore' : 'inherit', 'ipc'],
      env: { ...process.env, TESTS: 'usual' },
    });
    const [ready] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
    if (typeof ready !== 'object')
      throw new Error('the tests cannot be loaded: set MUTANTS_DEBUG to see why');
    return child;
  }

  end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

/** Which tests are run for a mutant, and in which order. */
function orderFor(mutant: Mutant, files: readonly TestFile[], baseline: Baseline): Order | undefined {
  const { id, file } = mutant;
  const distance = (path: string): number => {
    const test = files.find((each) => each.path === path);
    return (test?.distances[file] ?? Infinity) + (test?.startsNothing === true ? 0 : 1000);
  };
  const durations = new Map<string, number>();
  for (const one of baseline.cases)
    durations.set(one.file, (durations.get(one.file) ?? 0) + one.milliseconds);
  const reaches = (one: MeasuredCase): boolean =>
    one.passes && (id in one.hits || (baseline.shared[one.file]?.includes(id) ?? false));
  let spent = 0;
  const within = (milliseconds: number): boolean => {
    const fits = spent === 0 || spent + milliseconds <= MOST_TESTS;
    if (fits) spent += milliseconds;
    return fits;
  };
  const cases = baseline.cases
    .filter(reaches)
    .sort((one, other) => one.milliseconds - other.milliseconds)
    .filter(({ milliseconds }) => within(milliseconds))
    .sort((one, other) => distance(one.file) - distance(other.file) || (one.file < other.file ? -1 : 1));
  const reload = !baseline.whileLoading.includes(id)
    ? []
    : files
        .filter(({ distances }) => file in distances)
        .sort((one, other) => distance(one.path) - distance(other.path))
        .map(({ path }) => path)
        .filter((path) => within(durations.get(path) ?? 0))
        .slice(0, MOST_FILES);
  if (cases.length + reload.length === 0) return undefined;
  return {
    ...{ kind: 'try', id, reload, cases: cases.map((one) => [one.file, one.index] as const) },
    limit: FEWEST_MILLISECONDS + 10 * Math.min(spent, MOST_TESTS),
    hits: Math.max(0, ...cases.map(({ hits }) => hits[id] ?? 0)) * Math.max(1, cases.length),
  };
}

export interface Tried {
  readonly verdicts: readonly Verdict[];
  /** Tests that fail without any mutant here. They are not run. */
  readonly failing: readonly string[];
}

export async function tryAll(
  root: string,
  instrumented: Instrumented,
  { workers, report }: { readonly workers: number; readonly report: (verdict: Verdict) => void },
): Promise<Tried> {
  const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
  const path = join(folder, 'input.json');
  const files = testFilesFor(root, Object.keys(instrumented.sources));
  const write = (failing: readonly string[]): void => {
    const input: WorkerInput = { root, instrumented, failing, tests: files.map((file) => file.path) };
    writeFileSync(path, JSON.stringify(input));
  };
  write([]);
  const all = Array.from({ length: workers }, () => new Worker(path));
  try {
    const first = await (all[0] as Worker).ask({ kind: 'baseline' }, 600_000);
    if (first?.kind !== 'baseline') throw new Error('the tests did not end without any mutant');
    const { baseline } = first;
    const failing = baseline.cases.filter(({ passes }) => !passes);
    write(failing.map(({ file, index }) => `${file} ${String(index)}`));
    const verdicts: Verdict[] = [];
    const open = [...instrumented.mutants];
    const work = async (worker: Worker): Promise<void> => {
      for (let mutant = open.shift(); mutant !== undefined; mutant = open.shift()) {
        const verdict = { mutant, ...(await verdictOn(worker, orderFor(mutant, files, baseline))) };
        verdicts.push(verdict);
        report(verdict);
      }
    };
    await Promise.all(all.map(work));
    return { verdicts, failing: failing.map(({ file, name }) => `${file}: ${name}`) };
  } finally {
    for (const worker of all) worker.end();
    rmSync(folder, { recursive: true });
  }
}

async function verdictOn(worker: Worker, order: Order | undefined): Promise<Omit<Verdict, 'mutant'>> {
  if (order?.kind !== 'try') return { outcome: 'no test' };
  for (;;) {
    const answer = await worker.ask(order, 5000 + order.limit * (2 + order.reload.length));
    if (answer?.kind !== 'tried') return { outcome: 'timeout' };
    const { outcome, by, spoilt = false } = answer;
    // A test that fails without the mutant as well says nothing about it.
    if (outcome === 'killed' && spoilt && !retried.has(order.id)) {
      retried.add(order.id);
      continue;
    }
    return { outcome, ...(by !== undefined && { by }) };
  }
}
const retried = new Set<string>();
