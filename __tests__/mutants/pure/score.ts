/** Counts of mutants by folder. A mutant with an explanation counts neither as killed nor as survivor. */
import type { Explained } from './explained.ts';
import type { Verdict } from './try-all.ts';

export interface Judged extends Verdict {
  readonly explanation: Explained | undefined;
}

export interface Score {
  readonly folder: string;
  readonly mutants: number;
  readonly killed: number;
  readonly timeout: number;
  readonly survived: number;
  readonly 'no test': number;
  readonly explained: number;
  /** Percent, rounded down to a tenth. */
  readonly score: number;
}

export const verdictsWith = (verdicts: readonly Verdict[], explained: readonly Explained[]): Judged[] =>
  verdicts.map((verdict) => ({
    ...verdict,
    explanation: explained.find((entry) => entry.matches(verdict.mutant)),
  }));

export function scoresOf(judged: readonly Judged[], folders: readonly string[]): Score[] {
  const names = folders.filter((folder) => judged.some(({ mutant }) => mutant.file.startsWith(`${folder}/`)));
  const rows = names.map((folder) =>
    scoreOf(
      folder,
      judged.filter(({ mutant }) => mutant.file.startsWith(`${folder}/`)),
    ),
  );
  return rows.length === 1 ? rows : [...rows, scoreOf('all', judged)];
}

function scoreOf(folder: string, judged: readonly Judged[]): Score {
  const count = (outcome: Verdict['outcome']): number =>
    judged.filter((each) => each.outcome === outcome && each.explanation === undefined).length;
  const [killed, timeout, survived, untested] = [
    count('killed'),
    count('timeout'),
    count('survived'),
    count('no test'),
  ];
  const counted = killed + timeout + survived + untested;
  return {
    ...{ folder, mutants: judged.length, killed, timeout, survived, 'no test': untested },
    explained: judged.length - counted,
    score: counted === 0 ? 100 : Math.floor((1000 * (killed + timeout)) / counted) / 10,
  };
}

/** Explanations that no longer hold: of no mutant, or of one that a test kills. */
export function unmatched(
  judged: readonly Judged[],
  explained: readonly Explained[],
  files: readonly string[],
): { readonly entry: Explained; readonly why: string }[] {
  return explained
    .filter(({ file }) => files.includes(file))
    .flatMap((entry) => {
      const own = judged.filter(({ explanation }) => explanation === entry);
      if (own.length === 0) return [{ entry, why: 'no such mutant' }];
      const isKilled = own.some(({ outcome }) => outcome === 'killed');
      return isKilled ? [{ entry, why: 'a test kills it' }] : [];
    });
}
