/** A KMS key and its alias, whose making is disturbed on the way. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { makeKmsKey, type MadeKmsKey } from '../../src/kms/make-key.ts';
import { allow, REGION } from '../support/aws/world.ts';
import { kmsReference, openKmsStage, place, type KmsStage } from './kms-stage.ts';

let stage: KmsStage;
beforeEach(async () => {
  stage = await openKmsStage({}, 3);
});
afterEach(() => stage.close());

function make(policy = allow('kms:*', '*'), { signal } = new AbortController()): Promise<MadeKmsKey> {
  return makeKmsKey(
    { reference: kmsReference('kms:alias/deploy'), spec: 'ECC_NIST_P256', tags: [] },
    {
      place: { ...stage.place(policy), region: REGION },
      signal,
      warn: (message) => stage.warnings.push(message),
    },
  );
}

async function asked(operation: string): Promise<void> {
  while (!stage.operations().includes(operation)) await sleep(5);
}

describe('a new KMS key', () => {
  it('is kept if it has its alias, and only the answer that says so was lost', async () => {
    stage.aws.faults.order({ operation: 'kms:CreateAlias', fault: 'cut', times: 1 });
    const { arn } = await make();
    expect(stage.operations().filter((name) => name === 'kms:CreateAlias')).toHaveLength(2);
    expect(stage.aws.signingKeys.find('alias/deploy', place)).toMatchObject({ arn, state: 'Enabled' });
    expect(stage.warnings).toEqual([]);
  });

  it('that perhaps exists is told, because nobody knows it', async () => {
    stage.aws.faults.order({ operation: 'kms:CreateKey', fault: 'cut' });
    expect(await make().catch((error: unknown) => error)).toMatchObject({ code: 'NETWORK_UNREACHABLE' });
    expect(stage.operations().filter((name) => name === 'kms:CreateKey')).toHaveLength(1);
    expect(stage.warnings).toEqual([
      expect.stringMatching(/perhaps made a key.*aws kms list-keys --region eu-west-1/),
    ]);
  });

  it('that KMS has refused is not told as one', async () => {
    expect(await make(allow('kms:Get*', '*')).catch((error: unknown) => error)).toMatchObject({
      code: 'KEY_ACCESS_DENIED',
    });
    expect(stage.warnings).toEqual([]);
  });

  it('is kept if all answers were lost', async () => {
    stage.aws.faults.order({ operation: 'kms:CreateAlias', fault: 'cut' });
    const { arn } = await make();
    expect(stage.aws.signingKeys.find('alias/deploy', place)).toMatchObject({ arn, state: 'Enabled' });
  });

  it('keeps the alias that it gets while the caller is interrupted', async () => {
    const caller = new AbortController();
    stage.aws.faults.order({ operation: 'kms:CreateAlias', fault: { latency: 300 } });
    const making = make(allow('kms:*', '*'), caller);
    await asked('kms:CreateAlias');
    caller.abort(new Error('interrupted'));
    const { arn } = await making;
    expect(stage.aws.signingKeys.find('alias/deploy', place)).toMatchObject({ arn, state: 'Enabled' });
    expect([stage.operations().at(-1), stage.warnings]).toEqual(['kms:CreateAlias', []]);
  });

  it('is deleted again, and gets no alias, if the caller is interrupted before that', async () => {
    const caller = new AbortController();
    stage.aws.faults.order({ operation: 'kms:CreateKey', fault: { latency: 300 } });
    stage.aws.faults.order({ operation: 'kms:GetPublicKey', fault: { latency: 300 } });
    const making = make(allow('kms:*', '*'), caller).catch((error: unknown) => error);
    await asked('kms:CreateKey');
    while (stage.operations().at(-1) !== 'kms:GetPublicKey') await sleep(5);
    caller.abort(new Error('interrupted'));
    expect(await making).toEqual(new Error('interrupted'));
    expect(stage.operations()).not.toContain('kms:CreateAlias');
    expect(stage.warnings).toEqual([expect.stringContaining('was made for nothing')]);
  });

  it('is deleted again if another key has the alias meanwhile, and the first answer was none', async () => {
    const { aws } = stage;
    aws.faults.order({ operation: 'kms:CreateAlias', fault: { latency: 300 }, times: 1 });
    aws.faults.order({ operation: 'kms:CreateAlias', fault: 'internal-error', times: 1 });
    const making = make().catch((error: unknown) => error);
    await asked('kms:CreateAlias');
    const other = aws.signingKeys.create({ ...place, alias: 'alias/deploy' });
    const told = await making;
    expect(told).toBeInstanceOf(Failure);
    expect(told).toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining('already') });
    expect(aws.signingKeys.find('alias/deploy', place).arn).toBe(other);
    expect(stage.warnings).toEqual([expect.stringContaining('was made for nothing')]);
  });
});
