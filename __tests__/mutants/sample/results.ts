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
  | ({ readonly kind: 'measured' } & Measured)
  | ({ readonly kind: 'verdict' } & Verdict);

export class Results {
  readonly measured = new Map<string, Measured>();
  readonly verdicts = new Map<number, Verdict>();
  readonly #path: string | undefined;

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
      if (line.kind === 'measured') this.measured.set(line.file, line);
      if (line.kind === 'verdict') this.verdicts.set(line.id, line);
    }
  }

  measure(measured: Measured): void {
    this.measured.set(measured.file, measured);
    this.#append({ kind: 'measured', ...measured });
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
  /** Percent, rounded down to tenths. */
  readonly score: number;
}

/** One row for each language, and one for both. */
export function countsOf(verdicts: readonly Verdict[]): Count[] {
  const isShell = ({ file }: Verdict): boolean => !file.endsWith('.ts');
  const count = (language: string, own: readonly Verdict[]): Count => {
    const killed = (stage: Verdict['stage']): number =>
      own.filter((one) => one.outcome === 'killed' && one.stage === stage).length;
    const survived = own.filter(({ outcome }) => outcome === 'survived').length;
    const score = Math.floor((1000 * (own.length - survived)) / own.length) / 10;
    return {
      ...{ language, mutants: own.length, unit: killed('unit'), programs: killed('programs') },
      ...{ whole: killed('whole'), survived, score },
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
