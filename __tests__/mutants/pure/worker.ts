/** A process that has loaded the tests and all mutants, and tries the mutants that try-all.ts names. */
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Instrumented } from './instrumented.ts';
import { casesOf, firstFailing, type Case } from './quick-suite.ts';

export interface WorkerInput {
  readonly root: string;
  readonly instrumented: Instrumented;
  readonly tests: readonly string[];
  /** Tests that fail without any mutant. */
  readonly failing: readonly string[];
}

export const nameOf = ({ file, index }: { readonly file: string; readonly index: number }): string =>
  `${file} ${String(index)}`;

/** `hits` of a mutant while this test ran. */
export interface MeasuredCase {
  readonly file: string;
  readonly index: number;
  readonly name: string;
  readonly milliseconds: number;
  readonly passes: boolean;
  readonly hits: Readonly<Record<string, number>>;
}

export interface Baseline {
  readonly cases: readonly MeasuredCase[];
  /** Mutants in code that runs while the files are loaded. */
  readonly whileLoading: readonly string[];
  /** Mutants in code that runs for several tests of a file: `beforeAll`. */
  readonly shared: Readonly<Record<string, readonly string[]>>;
}

export type Order =
  | { readonly kind: 'baseline' }
  | {
      readonly kind: 'try';
      readonly id: string;
      readonly cases: readonly (readonly [file: string, index: number])[];
      /** Test files to load again with the mutant, because its code runs while they are loaded. */
      readonly reload: readonly string[];
      readonly limit: number;
      readonly hits: number;
    };

export type Outcome = 'killed' | 'timeout' | 'survived';
export type Report =
  | { readonly kind: 'baseline'; readonly baseline: Baseline }
  | {
      readonly kind: 'tried';
      readonly id: string;
      readonly outcome: Outcome;
      readonly by?: string;
      /** The test fails without the mutant now, so that this process must not go on. */
      readonly spoilt?: boolean;
    };

interface Switches {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  mutantCoverage?: { static: Record<string, number>; perTest: Record<string, Record<string, number>> };
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
}
const switches: Switches = ((globalThis as unknown as Record<string, Switches>)['__stryker__'] ??= {});

const { root, instrumented, tests, failing } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
) as WorkerInput;
const rootUrl = pathToFileURL(`${root}/`).href;
const suite = new URL('quick-suite.ts', import.meta.url).href;
const texts = new Map<string, string>();

/** Files of the project, without types, with the mutants. */
function textOf(url: string): string {
  const known = texts.get(url);
  if (known !== undefined) return known;
  const path = fileURLToPath(url);
  const text = stripTypeScriptTypes(
    instrumented.sources[path.slice(root.length + 1)] ?? readFileSync(path, 'utf8'),
  );
  texts.set(url, text);
  return text;
}

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === '@jest/globals') return { url: suite, shortCircuit: true };
    const resolved = next(specifier, context);
    const version = /\?loaded=\d+$/.exec(context.parentURL ?? '')?.[0] ?? '';
    const isOurs =
      resolved.url.startsWith(rootUrl) &&
      resolved.url.endsWith('.ts') &&
      !resolved.url.includes('node_modules');
    return isOurs ? { ...resolved, url: resolved.url + version } : resolved;
  },
  load(url, context, next) {
    const [plain = ''] = url.split('?');
    if (!plain.startsWith(rootUrl) || !plain.endsWith('.ts') || plain.includes('node_modules'))
      return next(url, context);
    return { format: 'module', source: textOf(plain), shortCircuit: true };
  },
});

/** Milliseconds. After that the other tests of a file are not used: a mutant has cheaper ones. */
const MOST_OF_A_FILE = 20_000;
const urlOf = (file: string): string => pathToFileURL(join(root, file)).href;
const loaded = new Map<string, readonly Case[]>();
let loads = 0;
const failingBefore = new Set(failing);

async function measure(): Promise<Baseline> {
  const cases: MeasuredCase[] = [];
  const shared: Record<string, string[]> = {};
  const coverage = (switches.mutantCoverage ??= { static: {}, perTest: {} });
  const whileLoading = Object.keys(coverage.static);
  for (const [file, all] of loaded) {
    const begun = performance.now();
    for (const [index, one] of all.entries()) {
      if (performance.now() - begun > MOST_OF_A_FILE) break;
      coverage.perTest = {};
      const started = performance.now();
      const watch = {
        before: (test: Case | undefined) => (switches.currentTestId = test === undefined ? 'shared' : 'test'),
        after: () => (switches.currentTestId = 'shared'),
      };
      const failed = await within(20_000, firstFailing([one], watch));
      switches.currentTestId = undefined;
      const { test = {}, shared: around = {} } = coverage.perTest;
      cases.push({
        ...{ file, index, name: one.name, hits: test },
        milliseconds: performance.now() - started,
        passes: failed === undefined,
      });
      if (failed !== undefined) failingBefore.add(nameOf({ file, index }));
      shared[file] = [...new Set([...(shared[file] ?? []), ...Object.keys(around)])];
    }
  }
  return { cases, whileLoading, shared };
}

async function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, milliseconds, 'late')));
  return Promise.race([work, late]).finally(() => {
    clearTimeout(timer);
  });
}

function activate(id: string, hits: number): void {
  switches.activeMutant = id;
  switches.hitCount = 0;
  switches.hitLimit = 20_000 + 100 * hits;
}

function deactivate(): { readonly endless: boolean } {
  const endless = (switches.hitCount ?? 0) > (switches.hitLimit ?? Infinity);
  switches.activeMutant = switches.hitCount = switches.hitLimit = undefined;
  return { endless };
}

async function attempt(order: Extract<Order, { kind: 'try' }>): Promise<Report> {
  const { id, limit } = order;
  const report = { kind: 'tried', id } as const;
  const cases = order.cases
    .map(([file, index]) => loaded.get(file)?.[index])
    .filter((one) => one !== undefined);
  activate(id, order.hits);
  const failing = await within(limit, firstFailing(cases));
  const { endless } = deactivate();
  if (failing === 'late') return { ...report, outcome: 'timeout', spoilt: true };
  if (failing !== undefined) {
    const again = await within(limit, firstFailing([failing]));
    return {
      ...report,
      outcome: endless ? 'timeout' : 'killed',
      by: failing.name,
      spoilt: again !== undefined,
    };
  }
  for (const file of order.reload) {
    activate(id, order.hits);
    const by = await failsWhenLoadedAgain(file, limit);
    const isEndless = deactivate().endless;
    if (by !== undefined) return { ...report, outcome: isEndless ? 'timeout' : 'killed', by };
  }
  return { ...report, outcome: 'survived' };
}

async function failsWhenLoadedAgain(file: string, limit: number): Promise<string | undefined> {
  loads += 1;
  const version = `?loaded=${String(loads)}`;
  try {
    const cases = await casesOf(() => import(urlOf(file) + version));
    const passing = cases.filter((_, index) => !failingBefore.has(nameOf({ file, index })));
    const failing = await within(limit, firstFailing(passing));
    return failing === 'late' ? 'the time limit' : failing?.name;
  } catch {
    return `${file} cannot be loaded`;
  }
}

// What a mutant breaks may fail at any later moment.
process.on('unhandledRejection', () => undefined);
process.on('uncaughtException', () => undefined);
for (const file of tests) loaded.set(file, await casesOf(() => import(urlOf(file))));
process.on('message', (order: Order) => {
  const answer = async (): Promise<Report> =>
    order.kind === 'baseline' ? { kind: 'baseline', baseline: await measure() } : await attempt(order);
  void answer().then((report) => process.send?.(report));
});
process.send?.({ kind: 'ready' });
