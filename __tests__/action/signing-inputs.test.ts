/** `git-signing` beside `restrict-to-hosts`: the first key signs commits, for no host. */
import { expect, it } from '@jest/globals';
import { parseInputs, type Inputs } from '../../src/action/inputs.ts';
import { failureOf } from '../support/failure-of.ts';
import { stepEnvironment } from './step-environment.ts';

const both = { 'git-signing': 'true', 'restrict-to-hosts': 'true' };
const parse = (keys: string): Inputs => parseInputs(stepEnvironment({ ...both, keys }));

it.each(['kms:alias/sign\n/ci/key github.com/acme', 'kms:alias/sign'])(
  'a first key in KMS signs commits, and the others are restricted: %j',
  (keys) => {
    expect(parse(keys)).toMatchObject({ gitSigning: true, restrictToHosts: true });
  },
);

it.each(['/ci/key', '/ci/key\nkms:alias/sign', 'secretsmanager:ci/key\n/ci/key'])(
  'a first key that the agent holds cannot sign and be restricted: %j',
  (keys) => {
    expect(failureOf(() => parse(keys))).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('does not work together with git-signing'),
      hint: expect.stringContaining(
        'leave one of them out, write a key in KMS first, or use the action twice',
      ),
    });
  },
);
