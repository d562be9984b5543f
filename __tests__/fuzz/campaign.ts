/** Runs many inputs through a parser: inputs near its grammar, then changed inputs that reach new code. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { seededRandom } from '../support/aws/session-manager/random.ts';
import { Coverage } from './coverage.ts';
import { mutate, type Random } from './mutate.ts';
import { endsWithin, problemWith, problemLater, type AsyncTarget, type Target } from './target.ts';

export interface Found {
  readonly input: string;
  readonly problem: string;
}

export interface Outcome {
  readonly cases: number;
  /** Blocks of our code that the inputs of the search reached. */
  readonly blocks: number;
  /** Inputs that reached new code. */
  readonly kept: readonly string[];
  readonly found: readonly Found[];
}

export interface Plan {
  readonly cases: number;
  readonly seed: number;
  /** Without it, inputs near the grammar only: the search needs V8's coverage for itself. */
  readonly search?: boolean;
}

type AnyTarget = Target | AsyncTarget;
type Attempt = (texts: readonly string[]) => Promise<Found[]>;

/** Milliseconds for some dozen inputs, which usually take a few. */
const patience = 20_000;
const batch = 25;
/** More problems than that are of the same kind. */
const mostFound = 10;

export function isAsync(target: AnyTarget): target is AsyncTarget {
  return 'isAsync' in target;
}

/** Runs inputs; what hangs is ended and named. */
function attemptsOf(target: AnyTarget): Attempt {
  if (isAsync(target)) {
    return async (texts) => {
      const found: Found[] = [];
      for (const text of texts) {
        const problem = await problemLater(target, text);
        if (problem !== undefined) found.push({ input: text, problem });
      }
      return found;
    };
  }
  return (texts) => {
    const found: Found[] = [];
    let current = '';
    const ended = endsWithin(patience, () => {
      for (const text of texts) {
        current = text;
        const problem = problemWith(target, text);
        if (problem !== undefined) found.push({ input: text, problem });
      }
    });
    if (!ended) found.push({ input: current, problem: 'hangs' });
    return Promise.resolve(found);
  };
}

export async function campaign(target: AnyTarget, { cases, seed, search = true }: Plan): Promise<Outcome> {
  const attempt = attemptsOf(target);
  const found: Found[] = [];
  const near = search ? Math.ceil(cases / 2) : cases;
  const corpus = [...target.seeds, ...readCorpus(target.name)];
  found.push(...(await attempt(corpus)));
  for (let done = 0; done < near && found.length < mostFound; done += batch) {
    const numRuns = Math.min(batch, near - done);
    found.push(...(await attempt(fc.sample(target.near, { numRuns, seed: seed + done }))));
  }
  const start = [...corpus, ...fc.sample(target.near, { numRuns: 30, seed })];
  const searched = search
    ? await searchFrom(start, { attempt, cases: cases - near, random: seededRandom(seed) })
    : { blocks: 0, kept: [], found: [] };
  const different = new Map([...found, ...searched.found].map((one) => [one.problem.slice(0, 60), one]));
  const all = await Promise.all([...different.values()].map((one) => shrunk(one, attempt)));
  return { cases, blocks: searched.blocks, kept: searched.kept, found: all };
}

interface Searching {
  readonly attempt: Attempt;
  readonly cases: number;
  readonly random: Random;
}

async function searchFrom(
  start: readonly string[],
  { attempt, cases, random }: Searching,
): Promise<Omit<Outcome, 'cases'>> {
  const [corpus, kept, found]: [string[], string[], Found[]] = [[...start], [], []];
  const any = (): string => corpus[Math.floor(random() * corpus.length)] ?? '';
  const coverage = new Coverage();
  coverage.start();
  try {
    await attempt(start);
    coverage.look({ remember: true });
    for (let done = 0; done < cases && found.length < mostFound; done += batch) {
      const texts = Array.from({ length: Math.min(batch, cases - done) }, () => mutate(any(), any(), random));
      found.push(...(await attempt(texts)));
      if (!coverage.look({ remember: false })) continue;
      for (const text of texts) {
        await attempt([text]);
        if (!coverage.look({ remember: true })) continue;
        corpus.push(text);
        kept.push(text);
      }
    }
    return { blocks: coverage.blocks, kept, found };
  } finally {
    coverage.stop();
  }
}

/** The same problem with a shorter input. */
async function shrunk({ input, problem }: Found, attempt: Attempt): Promise<Found> {
  let shortest = input;
  if (problem === 'hangs') return { input, problem };
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.length;) {
      const shorter = shortest.slice(0, at) + shortest.slice(at + size);
      const [again] = await attempt([shorter]);
      if (again?.problem.slice(0, 30) === problem.slice(0, 30)) shortest = shorter;
      else at += size;
    }
  }
  const [last] = await attempt([shortest]);
  return last ?? { input, problem };
}

const folder = join(import.meta.dirname, 'corpus');

/** Inputs that reached new code in earlier runs. */
export function readCorpus(name: string): readonly string[] {
  const file = join(folder, `${name}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as string[]) : [];
}

/** Characters of an input, and inputs of a parser: a corpus is for people, too. */
const most = { length: 300, inputs: 60 } as const;

export function addToCorpus({ name, isKept = true }: AnyTarget, kept: readonly string[]): void {
  const short = kept.filter((text) => text.length <= most.length);
  const all = [...new Set([...readCorpus(name), ...short])].slice(0, most.inputs);
  if (!isKept || all.length === 0) return;
  const text = JSON.stringify(all, undefined, 2).replace(
    /[^\x20-\x7e\n]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  writeFileSync(join(folder, `${name}.json`), `${text}\n`);
}
