/** Whether KMS would sign, told without a signature. */
import { describe, expect, it } from '@jest/globals';
import { requireSigning } from '../../src/kms/dry-run.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { kmsReference, login, place, stage, useKmsStage } from './kms-stage.ts';

useKmsStage();

const ask = (reference: string, policy = login): Promise<void> =>
  requireSigning(kmsReference(reference), {
    ...{ ...stage.place(policy), region: REGION, algorithm: 'ecdsa-sha2-nistp256' },
    signal: AbortSignal.timeout(10_000),
  });

describe('asking whether KMS would sign', () => {
  it('is one request, which makes no signature', async () => {
    stage.aws.signingKeys.create({ ...place, alias: 'alias/asked' });
    await ask('kms:alias/asked');
    expect(stage.aws.calls.map(({ operation, parameters }) => [operation, parameters['DryRun']])).toEqual([
      ['kms:Sign', true],
    ]);
    expect(stage.aws.calls[0]?.errorCode).toBe('DryRunOperationException');
  });

  it('needs kms:Sign alone, and its hint is the statement', async () => {
    const arn = stage.aws.signingKeys.create(place);
    await ask(arn, allow('kms:Sign', '*'));
    await expect(ask(arn, allow('kms:GetPublicKey', '*'))).rejects.toMatchObject({
      code: 'KEY_ACCESS_DENIED',
      message: expect.stringMatching(/^signing with the KMS key arn:\S+ in eu-west-1 is denied/),
      hint: expect.stringContaining(`"Resource":"arn:aws:kms:${REGION}:${ACCOUNT}:key/`),
    });
  });

  it('tells of a key that is disabled, gone, or for another algorithm', async () => {
    const arn = stage.aws.signingKeys.create({ ...place, spec: 'ECC_NIST_P384' });
    await expect(ask(arn)).rejects.toMatchObject({ code: 'KEY_UNSUPPORTED' });
    stage.aws.signingKeys.setState(arn, 'Disabled');
    await expect(ask(arn)).rejects.toMatchObject({ code: 'KMS_KEY_UNUSABLE' });
    await expect(ask('kms:alias/gone')).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
  });
});
