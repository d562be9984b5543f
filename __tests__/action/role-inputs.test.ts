/** The input role-to-assume: one role, or a chain of roles. */
import { expect, it } from '@jest/globals';
import { parseInputs } from '../../src/action/inputs.ts';
import { failureOf } from '../support/failure-of.ts';
import { stepEnvironment } from './step-environment.ts';

const plain = 'arn:aws:iam::111122223333:role/ci';
const withComma = 'arn:aws:iam::111122223333:role/team,deploy';

it.each([
  [withComma, [withComma]],
  [`${withComma},${plain}`, [withComma, plain]],
  [`${plain}, ${withComma},`, [plain, withComma]],
  [`${plain},,\n ,${withComma}\r\n,${plain}`, [plain, withComma, plain]],
])('the name of a role may have a comma: %j', (text, roles) => {
  const { role } = parseInputs(stepEnvironment({ 'role-to-assume': text }));
  expect([...(role?.through ?? []), role?.arn]).toEqual(roles);
});

it.each([`${plain}, ci`, `${plain},\nci`, ',', `${plain} ${plain}`])('%j is no chain of roles', (text) => {
  const failure = failureOf(() => parseInputs(stepEnvironment({ 'role-to-assume': text })));
  expect(failure).toMatchObject({
    code: 'INPUT_INVALID',
    message: expect.stringContaining('role-to-assume'),
  });
});
