/** A wrong input, and the expected error of the step. */
import type { Code } from '../../../src/errors.ts';
import { REGION, ROLE_ARN } from '../aws/world.ts';

export interface BadInput {
  readonly what: string;
  /** In addition to `usualInputs`. */
  readonly given: Readonly<Record<string, string>>;
  /** In addition to the environment of a job that may request a token. */
  readonly env?: Readonly<Record<string, string>>;
  /** The error is found after the inputs were parsed. */
  readonly later?: boolean;
  readonly code: Code;
  /** The beginning of the message: the input, and the line if it has several. */
  readonly names: string;
  readonly says: string;
  readonly hint: string;
}

/** What is wrong, the value, a part of the message, a part of the hint. */
export type Row = readonly [what: string, value: string, says: string, hint: string];

export const usualInputs: Readonly<Record<string, string>> = {
  keys: '/ci/key',
  'aws-region': REGION,
  'role-to-assume': ROLE_ARN,
};

/** Rows of an input with one value or a list. */
export function wrong(input: string, rows: readonly Row[]): BadInput[] {
  return rows.map(([what, value, says, hint]) => ({
    what: `${input}: ${what}`,
    given: { [input]: value },
    code: 'INPUT_INVALID',
    names: `the input ${input} `,
    ...{ says, hint },
  }));
}

/** Rows of `keys`, each in the third line of four. */
export function wrongKeys(rows: readonly Row[]): BadInput[] {
  return rows.map(([what, line, says, hint]) => ({
    what: `keys: ${what}`,
    given: { keys: `# the deploy keys\n/ci/key\n${line}\n/ci/another` },
    code: 'INPUT_INVALID',
    names: 'keys, line 3: ',
    ...{ says, hint },
  }));
}
