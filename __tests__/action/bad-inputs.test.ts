/** The message for each wrong input that parsing finds. e2e/bad-inputs.test.ts runs the whole step. */
import { expect, it } from '@jest/globals';
import { parseInputs } from '../../src/action/inputs.ts';
import { usualInputs } from '../support/bad-inputs/bad-input.ts';
import { everyBadInput } from '../support/bad-inputs/every-bad-input.ts';
import { failureOf, told } from '../support/failure-of.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { stepEnvironment, token } from './step-environment.ts';

const key = await makeSshKey();
const rows = everyBadInput(key).filter(({ later }) => !later);

it.each(rows.map((row) => [row.what, row] as const))('%s', (_, { given, env, code, names, says, hint }) => {
  const failure = failureOf(() =>
    parseInputs(stepEnvironment({ ...usualInputs, ...given }, { ...token, ...env })),
  );
  expect(failure.code).toBe(code);
  expect(failure.message.startsWith(names)).toBe(true);
  expect(failure.message).toContain(says);
  expect(failure.hint).toContain(hint);
  for (const line of key.privateKey.split('\n').slice(1, -2))
    expect(told(failure)).not.toContain(line.slice(0, 20));
});
