/** Mutants that no test can kill, or that no test needs to kill, with the reason. */
import type { Mutant } from './instrumented.ts';

export interface Explained {
  readonly file: string;
  /** `was → becomes`. */
  readonly change: string;
  readonly because: string;
  matches(mutant: Mutant): boolean;
}

export const explain = (file: string, reasons: Readonly<Record<string, string>>): Explained[] =>
  Object.entries(reasons).map(([change, reason]) => ({
    ...{ file, change, because: reason },
    matches: (mutant) => mutant.file === file && `${mutant.was} → ${mutant.becomes}` === change,
  }));

export const explained: readonly Explained[] = [];
