/** One input that is wrong, and what the step has to say of it. */
import type { Code } from '../../../src/errors.ts';
import { REGION, ROLE_ARN } from '../aws/world.ts';

export interface BadInput {
  readonly what: string;
  /** Over `usualInputs`. */
  readonly given: Readonly<Record<string, string>>;
  /** Over the environment of a job that may ask for a token. */
  readonly env?: Readonly<Record<string, string>>;
  /** It shows after the inputs have been parsed. */
  readonly later?: boolean;
  readonly code: Code;
  /** How the message begins: with the input, and with the line where it has several. */
  readonly names: string;
  readonly says: string;
  readonly hint: string;
}

/** What is wrong, the value, a piece of the message, a piece of the hint. */
export type Row = readonly [what: string, value: string, says: string, hint: string];

export const usualInputs: Readonly<Record<string, string>> = {
  keys: '/ci/key',
  'aws-region': REGION,
  'role-to-assume': ROLE_ARN,
};

/** Rows of an input that holds one thing, or a list. */
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
