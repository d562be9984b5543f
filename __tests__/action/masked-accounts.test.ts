/** Which account ids are masked, and that each is masked before the text that has it is printed. */
import { describe, expect, it } from '@jest/globals';
import { accountIdsIn, withMaskedAccounts } from '../../src/action/masked-accounts.ts';
import type { Workflow } from '../../src/action/workflow.ts';
import { Failure } from '../../src/errors.ts';
import { stepEnvironment } from './step-environment.ts';

const role = 'arn:aws:iam::111122223333:role/ci';

function recorded(given: Record<string, string>): { workflow: Workflow; printed: string[] } {
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
  return { workflow: withMaskedAccounts(workflow, stepEnvironment(given)), printed };
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
      ...['mask 222233334444', 'fail the account 222233334444 did it'],
      ...['mask 333344445555', 'output aws-account-id 333344445555'],
      ...['mask 555566667777', 'summary | arn:aws:ssm:eu-west-1:555566667777:parameter/x |'],
    ]);
  });

  it('masks nothing where it is false', () => {
    const { workflow, printed } = recorded({ 'role-to-assume': role });
    workflow.info(role);
    expect(printed).toEqual([`info ${role}`]);
  });

  it('leaves other long numbers alone', () => {
    expect(accountIdsIn('acme-lib-123456789012-1, 123456789012, arn:aws:iam::1234567890123:role/x')).toEqual(
      [],
    );
    expect(accountIdsIn('arn:aws:iam::aws:policy/x and account 12345678901')).toEqual([]);
  });
});
