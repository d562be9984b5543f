/** Which test files are run for a change, in which order. */
import { basename, dirname, join } from 'node:path';
import { selectTests, startsNothing } from '../../support/suite/selection.ts';
import type { Drawn } from './draw.ts';

/** A test file in the run without changes. */
export interface Measured {
  readonly file: string;
  /** Tells whether the file is still the same. */
  readonly digest: string;
  readonly passes: boolean;
  readonly seconds: number;
  /** The numbers of the changes. */
  readonly reached: readonly number[];
}

export interface Planned {
  readonly files: readonly string[];
  readonly seconds: number;
}

/** They test the tools of the project, or run something for minutes. */
const others = /^__tests__\/(build|faults|kills|leaks|mutants|soak)\//;

export const usedTests = (root: string): string[] =>
  selectTests(root, 'usual').filter((file) => !others.test(file));

/** Where no run can record what is reached: the tests of each file of the shell. */
const ofShell: Readonly<Record<string, RegExp>> = {
  'find-node.sh': /helper\/(find-node|launchers)|e2e\/(install|setup-files)/,
  'git-credential-ssm': /e2e\/credential\/|helper\/launchers/,
  'launch.sh': /helper\/launchers|e2e\/(credential\/|install|exec)/,
  'ssm-ssh': /helper\/|e2e\/(host\/|job\/|ec2\/|routing|clients|neighbours|host-keys)/,
  'ssm-ssh-agent': /helper\/launchers|e2e\/(add|exec)/,
  'ssm-ssh-ask.sh': /helper\/|e2e\/(host\/|routing|clients|kms\/host)/,
  'ssm-ssh-ec2.sh': /helper\/|e2e\/(ec2\/|ec2-job\/)/,
  'ssm-ssh-host.sh': /helper\/|e2e\/(host\/|kms\/host|beyond-routes)/,
  'ssm-ssh-job.sh': /helper\/|e2e\/(job\/|routing|beyond-routes|neighbours|checkout|kms\/job)/,
  'ssm-ssh-keeper.sh': /helper\/agent-of-caller|e2e\/host\/(agent|state|at-once)/,
  'ssm-ssh-sign': /e2e\/(signing|job\/)|helper\/explain-signing/,
};

/** The unit tests that reach the change, and the tests with programs that do, for at most so many seconds each. */
export function testsFor(
  change: Drawn,
  measured: readonly Measured[],
  { root, seconds }: { readonly root: string; readonly seconds: number },
): { readonly unit: Planned; readonly programs: Planned } {
  const reaches = ({ file, reached }: Measured): boolean =>
    change.file.endsWith('.ts')
      ? reached.includes(change.id)
      : (ofShell[basename(change.file)]?.test(file) ?? false) && !startsNothing(join(root, file));
  const used = measured.filter((one) => one.passes && reaches(one));
  const words = [basename(change.file, '.ts'), basename(dirname(change.file))];
  const isNear = ({ file }: Measured): boolean => words.some((word) => file.includes(word));
  // The nearest ones first, and of these the short ones.
  const cost = (one: Measured): number => one.seconds * (isNear(one) ? 1 : 3);
  used.sort((one, other) => cost(one) - cost(other));
  const within = (ones: readonly Measured[]): Planned => {
    const files: string[] = [];
    let sum = 0;
    for (const one of ones) {
      if (files.length > 0 && sum + one.seconds > seconds) continue;
      files.push(one.file);
      sum += one.seconds;
    }
    return { files, seconds: sum };
  };
  const isUnit = ({ file }: Measured): boolean => startsNothing(join(root, file));
  return {
    unit: within(used.filter(isUnit)),
    programs: within(used.filter((one) => !isUnit(one))),
  };
}
