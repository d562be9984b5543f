/** The keys of a rotation in KMS, where another run of the same rotation acts between two calls. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KmsKeyRotation } from '../../src/kms/key-rotation.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { kmsReference, openKmsStage, place, type KmsStage } from './kms-stage.ts';

const alias = 'alias/deploy';
const next = `${alias}/next`;
const made = { tags: { 'ssm-ssh-agent:rotation': alias } };

function rotationOn(stage: KmsStage, policy = allow('kms:*', '*')): KmsKeyRotation {
  const options = { signal: AbortSignal.timeout(20_000), sleep: (time: number) => sleep(time / 10) };
  return new KmsKeyRotation(kmsReference(`kms:${alias}`), {
    ...{ place: { ...stage.place(policy), region: REGION }, ...options },
    ...{ warn: (message) => stage.warnings.push(message), explain: (error) => error },
  });
}

describe('a rotation that goes on with the key of a killed run', () => {
  let stage: KmsStage;
  let shift = 0;
  let unnamed: string;

  beforeAll(async () => {
    stage = await openKmsStage({ clock: () => new Date(Date.now() - shift) });
  });
  afterAll(() => stage.close());
  beforeEach(() => {
    const { signingKeys, faults } = stage.aws;
    faults.clear();
    stage.aws.forgetCalls();
    for (const { arn } of signingKeys.all(place)) signingKeys.remove(arn);
    // Longer ago than any process takes to make its key.
    shift = 60_000;
    const old = signingKeys.create({ ...place, alias });
    signingKeys.setAlias(place, next, old);
    unnamed = signingKeys.create({ ...place, ...made });
    shift = 0;
  });

  const open = (policy?: PolicyDocument): KmsKeyRotation => rotationOn(stage, policy);
  /** Begins, and waits until the run has found the key. */
  const findKey = async (keys: KmsKeyRotation): Promise<{ readonly staged: Promise<void> }> => {
    // The first one describes the old key.
    stage.aws.faults.order({ operation: 'kms:DescribeKey', fault: { latency: 1000 }, skip: 1, times: 1 });
    const staged = keys.stage(await keys.look(), () => 'ECC_NIST_P256');
    while (stage.operations().filter((one) => one === 'kms:DescribeKey').length < 2) await sleep(5);
    return { staged };
  };

  it('finds it among keys whose tags the caller may not read', async () => {
    const theirs = stage.aws.signingKeys.create({ ...place, alias: 'alias/theirs' });
    const { Statement } = allow('kms:*', '*');
    const deny = { Effect: 'Deny', Action: 'kms:ListResourceTags', Resource: theirs } as const;
    const keys = open({ Version: '2012-10-17', Statement: [...[Statement].flat(), deny] });
    await keys.stage(await keys.look(), () => 'ECC_NIST_P256');
    expect(stage.operations()).not.toContain('kms:CreateKey');
    expect(stage.aws.signingKeys.find(next, place).arn).toBe(unnamed);
  });

  it('does not guess where the tags of a key cannot be read for another reason', async () => {
    stage.aws.faults.order({ operation: 'kms:ListResourceTags', fault: 'malformed', skip: 1 });
    const keys = open();
    const staged = keys.stage(await keys.look(), () => 'ECC_NIST_P256');
    await expect(staged).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE' });
    expect(stage.operations()).not.toContain('kms:CreateKey');
  });

  it('leaves it alone if another run has staged it meanwhile', async () => {
    const { staged } = await findKey(open());
    stage.aws.signingKeys.setAlias(place, next, unnamed);
    await staged;
    expect(stage.aws.signingKeys.get(unnamed).state).toBe('Enabled');
  });

  it('leaves it alone if another run serves it already', async () => {
    const { staged } = await findKey(open());
    for (const one of [next, alias]) stage.aws.signingKeys.setAlias(place, one, unnamed);
    await staged;
    expect(stage.aws.signingKeys.get(unnamed).state).toBe('Enabled');
  });

  it('gives it up if another run has staged another key', async () => {
    const { staged } = await findKey(open());
    const other = stage.aws.signingKeys.create({ ...place, ...made });
    stage.aws.signingKeys.setAlias(place, next, other);
    await staged;
    const states = [unnamed, other].map((arn) => stage.aws.signingKeys.get(arn).state);
    expect(states).toEqual(['PendingDeletion', 'Enabled']);
  });
});

describe('a rotation of a key whose policy nobody may change', () => {
  it('says what the policy has to allow', async () => {
    const stage = await openKmsStage();
    const on = { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Resource: '*' } as const;
    const Statement = [
      { Effect: 'Allow', Action: 'kms:*', ...on },
      { Effect: 'Deny', Action: 'kms:PutKeyPolicy', ...on },
    ] as const;
    const old = stage.aws.signingKeys.create({ ...place, alias });
    stage.aws.signingKeys.setPolicy(old, { Version: '2012-10-17', Statement });
    const keys = rotationOn(stage);
    const staged = keys.stage(await keys.look(), () => 'ECC_NIST_P256');
    await expect(staged).rejects.toMatchObject({
      code: 'KEY_ACCESS_DENIED',
      hint: expect.stringContaining('kms:PutKeyPolicy'),
    });
    await stage.close();
  });
});
