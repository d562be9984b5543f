/** Which account ids are masked, and that each is masked before the text that has it is printed. */
import { describe, expect, it } from '@jest/globals';
import { accountIdsIn, withMaskedAccounts } from '../../src/action/masked-accounts.ts';
import type { Workflow } from '../../src/action/workflow.ts';
import { Failure } from '../../src/errors.ts';
import { stepEnvironment } from './step-environment.ts';

const role = 'arn:aws:iam::111122223333:role/ci';

function recorded(
  given: Record<string, string>,
  env: Record<string, string> = {},
): { workflow: Workflow; printed: string[] } {
  const printed: string[] = [];
  const note =
    (kind: string) =>
    (...words: string[]): void => {
      printed.push([kind, ...words].join(' '));
    };
  const fail = (failure: Failure): void => {
    note('fail')(failure.message);
  };
  const summarize = async (text: string): Promise<void> => {
    note('summary')(text);
    await Promise.resolve();
  };
  const workflow: Workflow = {
    ...{ info: note('info'), warn: note('warn'), mask: note('mask'), fail, summarize },
    ...{ exportVariable: note('export'), setOutput: note('output') },
    ...{ addPath: note('path'), saveState: note('state') },
  };
  return { workflow: withMaskedAccounts(workflow, { ...stepEnvironment(given), ...env }), printed };
}

describe('mask-aws-account-id', () => {
  const on = { 'mask-aws-account-id': 'true' };

  it('masks what the inputs name at once', () => {
    const { printed } = recorded({
      ...on,
      keys: 'arn:aws-cn:ssm:cn-north-1:444455556666:parameter/ci/key',
      'role-to-assume': `${role}\narn:aws:iam::222233334444:role/x`,
      'allowed-account-ids': '000011112222, 111122223333',
    });
    expect(printed.sort()).toEqual(
      ['000011112222', '111122223333', '222233334444', '444455556666'].map((id) => `mask ${id}`),
    );
  });

  it('masks each other id once, before the text that has it', async () => {
    const { workflow, printed } = recorded(on);
    workflow.info(`assuming ${role}`);
    workflow.warn(`${role} again`);
    workflow.fail(new Failure('INTERNAL', 'the account 222233334444 did it', { hint: 'see 444455556666' }));
    workflow.setOutput('aws-account-id', '333344445555');
    await workflow.summarize('| arn:aws:ssm:eu-west-1:555566667777:parameter/x |');
    expect(printed).toEqual([
      ...['mask 111122223333', `info assuming ${role}`, `warn ${role} again`],
      ...['mask 222233334444', 'mask 444455556666', 'fail the account 222233334444 did it'],
      ...['mask 333344445555', 'output aws-account-id 333344445555'],
      ...['mask 555566667777', 'summary | arn:aws:ssm:eu-west-1:555566667777:parameter/x |'],
    ]);
  });

  it('masks nothing where it is false', () => {
    const { workflow, printed } = recorded({ 'role-to-assume': role });
    workflow.info(role);
    expect(printed).toEqual([`info ${role}`]);
  });

  it.each([
    ['in an ARN', 'arn:aws:iam::111122223333:role/x'],
    ['in an encoded ARN', 'arn%3Aaws%3Aiam%3A%3A111122223333%3Arole'],
    ['behind an encoded space', 'account%20111122223333'],
    ['in a list', 'accounts 000011112222,111122223333'],
    ['in a policy', '{"AWS":"111122223333"}'],
    ['in the name of a host', '111122223333.dkr.ecr.eu-west-1.amazonaws.com'],
  ])('finds an id %s', (_where, text) => {
    expect(accountIdsIn(text)).toContain('111122223333');
  });

  it("finds an id with the hyphens of AWS's console", () => {
    expect(accountIdsIn('Account ID: 1111-2222-3333')).toEqual(['1111-2222-3333']);
  });

  it("leaves shorter and longer numbers alone, and the run's own", () => {
    expect(accountIdsIn('12345678901, 1234567890123, arn:aws:iam::aws:policy/x')).toEqual([]);
    expect(accountIdsIn('acme-lib-123456789012-1', '123456789012')).toEqual([]);
    const { workflow, printed } = recorded(on, { GITHUB_RUN_ID: '123456789012' });
    workflow.info('acme-lib-123456789012-1');
    expect(printed).toEqual(['info acme-lib-123456789012-1']);
  });
});
