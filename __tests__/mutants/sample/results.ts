/** What a run has found, in a file of its own: a later run goes on from there. And the counts at the end. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Measured } from './tests-for.ts';

export interface Verdict {
  readonly id: number;
  readonly file: string;
  readonly outcome: 'killed' | 'survived';
  /** Of a survivor: the last one. */
  readonly stage: 'unit' | 'programs' | 'whole';
  /** The first failing test. */
  readonly by?: string;
  readonly seconds: number;
}

type Line =
  | { readonly kind: 'sample'; readonly digest: string }
  | { readonly kind: 'accepted'; readonly places: readonly number[] }
  | ({ readonly kind: 'measured' } & Measured)
  | ({ readonly kind: 'verdict' } & Verdict);

export class Results {
  readonly measured = new Map<string, Measured>();
  readonly verdicts = new Map<number, Verdict>();
  readonly #path: string | undefined;
  #accepted: readonly number[] | undefined;

  /** @param digest of the sample: results of another one are refused */
  constructor(path: string | undefined, digest: string) {
    this.#path = path;
    if (path === undefined || !existsSync(path)) {
      this.#append({ kind: 'sample', digest });
      return;
    }
    for (const text of readFileSync(path, 'utf8').trim().split('\n')) {
      const line = JSON.parse(text) as Line;
      if (line.kind === 'sample' && line.digest !== digest)
        throw new Error(`${path} is of another sample: other sources, another seed or count`);
      if (line.kind === 'accepted') this.#accepted = line.places;
      if (line.kind === 'measured') this.measured.set(line.file, line);
      if (line.kind === 'verdict') this.verdicts.set(line.id, line);
    }
  }

  /** Which of the drawn places the compiler accepts. */
  get accepted(): readonly number[] | undefined {
    return this.#accepted;
  }

  accept(places: readonly number[]): void {
    this.#accepted = places;
    this.#append({ kind: 'accepted', places });
  }

  measure(measured: Measured): void {
    this.measured.set(measured.file, measured);
    this.#append({ kind: 'measured', ...measured });
  }

  /** What a file reaches is no longer known when it has changed. */
  forget(isStale: (measured: Measured) => boolean): void {
    for (const one of [...this.measured.values()]) if (isStale(one)) this.measured.delete(one.file);
  }

  judge(verdict: Verdict): void {
    this.verdicts.set(verdict.id, verdict);
    this.#append({ kind: 'verdict', ...verdict });
  }

  #append(line: Line): void {
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}

export interface Count {
  readonly language: string;
  readonly mutants: number;
  readonly unit: number;
  readonly programs: number;
  readonly whole: number;
  readonly survived: number;
  readonly explained: number;
  /** Percent of those without an explanation, rounded down to tenths. */
  readonly score: number;
}

/** One row for each language, and one for both. */
export function countsOf(
  verdicts: readonly Verdict[],
  isExplained: (survivor: Verdict) => boolean = () => false,
): Count[] {
  const isShell = ({ file }: Verdict): boolean => !file.endsWith('.ts');
  const count = (language: string, own: readonly Verdict[]): Count => {
    const killed = (stage: Verdict['stage']): number =>
      own.filter((one) => one.outcome === 'killed' && one.stage === stage).length;
    const survivors = own.filter(({ outcome }) => outcome === 'survived');
    const explained = survivors.filter(isExplained).length;
    const score = (own.length - survivors.length) / (own.length - explained);
    return {
      ...{ language, mutants: own.length, unit: killed('unit'), programs: killed('programs') },
      ...{ whole: killed('whole'), survived: survivors.length - explained, explained },
      score: Math.floor(1000 * score) / 10,
    };
  };
  return [
    count(
      'TypeScript',
      verdicts.filter((one) => !isShell(one)),
    ),
    count('shell', verdicts.filter(isShell)),
    count('both', verdicts),
  ].filter(({ mutants }) => mutants > 0);
}
