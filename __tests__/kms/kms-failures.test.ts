/** What KMS refuses, and the trouble on the way, as our codes with hints. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { signForApp } from '../../src/kms/app-signature.ts';
import type { KmsSigner } from '../../src/kms/kms-signer.ts';
import { kmsFailure } from '../../src/kms/kms-failures.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { kmsReference, login, place, stage, useKmsStage } from './kms-stage.ts';

useKmsStage();

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const outcome = await work.catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error('no Failure', { cause: outcome });
}

function signWith(signer: KmsSigner, signal = AbortSignal.timeout(10_000)): Promise<Buffer> {
  return signer.sign(Buffer.of(1), 'ecdsa-sha2-nistp256', signal);
}

describe('opening a key', () => {
  it('that does not exist', async () => {
    expect(await failureOf(stage.open('kms:alias/none'))).toMatchObject({
      code: 'KEY_NOT_FOUND',
      message: `there is no KMS key kms:alias/none in eu-west-1: Alias arn:aws:kms:eu-west-1:${ACCOUNT}:alias/none is not found`,
      hint: expect.stringContaining('aws kms describe-key --region eu-west-1 --key-id alias/none'),
    });
  });

  it.each([
    ['Disabled', 'is disabled', /^enable it: aws kms enable-key .* --key-id arn:aws:kms:\S+:key\/[\w-]+$/],
    [
      'PendingDeletion',
      'is pending deletion',
      /^stop its deletion, and enable it: aws kms cancel-key-deletion \S+ \S+ --key-id (\S+) && aws kms enable-key .* --key-id \1$/,
    ],
    ['PendingImport', 'is pending import', /put kms:alias\/NAME FILE/],
  ] as const)('that is %s', async (state, problem, hint) => {
    stage.aws.signingKeys.setState(stage.aws.signingKeys.create({ ...place, alias: 'alias/state' }), state);
    const failure = await failureOf(stage.open('kms:alias/state'));
    expect(failure.code).toBe('KMS_KEY_UNUSABLE');
    expect(failure.message).toMatch(/^the KMS key kms:alias\/state in eu-west-1 cannot be used: /);
    expect([failure.message.endsWith(problem), hint.test(failure.hint)]).toEqual([true, true]);
  });

  it.each([
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'cannot sign logins: '],
    ['ECC_SECG_P256K1', 'SIGN_VERIFY', 'is of a type that SSH does not have'],
    ['RSA_2048', 'ENCRYPT_DECRYPT', 'is for ENCRYPT_DECRYPT, and not for signatures'],
  ])('%s for %s', async (spec, usage, problem) => {
    const arn = stage.aws.signingKeys.create({ ...place, spec, usage });
    expect(await failureOf(stage.open(arn))).toMatchObject({
      code: 'KEY_UNSUPPORTED',
      message: expect.stringContaining(problem),
      hint: expect.stringContaining('keygen kms:alias/NAME'),
    });
  });

  it.each([
    ['no answer from AWS', 'malformed', 'NETWORK_UNREACHABLE'],
    ['an answer of another program', 'foreign', 'NETWORK_UNREACHABLE'],
    ['half of an answer', 'broken', 'NETWORK_UNREACHABLE'],
    ['an error of KMS itself', 'internal-error', 'PROVIDER_FAILED'],
    ['throttling', 'throttling', 'THROTTLED'],
  ] as const)('with %s', async (_, fault, code) => {
    stage.aws.signingKeys.create({ ...place, alias: 'alias/fault' });
    stage.aws.faults.order({ operation: 'kms:GetPublicKey', fault });
    const failure = await failureOf(stage.open('kms:alias/fault'));
    expect([failure.code, failure.hint]).not.toContain('');
    expect(failure.code).toBe(code);
  });

  it('that hangs, until the caller leaves', async () => {
    stage.aws.faults.order({ operation: 'kms:GetPublicKey', fault: 'hang' });
    const reason = new Failure('TIMEOUT', 'too long', { hint: 'wait' });
    const controller = new AbortController();
    const opening = failureOf(stage.open('kms:alias/fault', { signal: controller.signal }));
    setTimeout(() => {
      controller.abort(reason);
    }, 200);
    expect(await opening).toBe(reason);
  });
});

describe('without permission', () => {
  const only = (action: string): PolicyDocument => allow(action, '*');

  it('to read the public key, the statement for the alias is in the hint, and is enough', async () => {
    stage.aws.signingKeys.create({ ...place, alias: 'alias/denied' });
    const failure = await failureOf(stage.open('kms:alias/denied', {}, only('kms:Sign')));
    expect(failure.code).toBe('KEY_ACCESS_DENIED');
    expect(failure.message).toMatch(
      /^reading the public key of the KMS key kms:alias\/denied in eu-west-1 is denied: User: /,
    );
    const [, json = ''] = /^add to the role's policy: (.*)$/.exec(failure.hint) ?? [];
    const statement = JSON.parse(json) as { Action: string[]; Resource: string; Condition: object };
    expect(statement).toEqual({
      ...{ Effect: 'Allow', Action: ['kms:GetPublicKey', 'kms:Sign'] },
      Resource: `arn:aws:kms:eu-west-1:${ACCOUNT}:key/*`,
      Condition: { StringEquals: { 'kms:RequestAlias': ['alias/denied', 'alias/denied/previous'] } },
    });
    const signer = await stage.open('kms:alias/denied', {}, { Statement: [statement] } as never);
    await signWith(signer);
    const another = stage.aws.signingKeys.create({ ...place, alias: 'alias/another' });
    for (const reference of [another, 'kms:alias/another'])
      expect((await failureOf(stage.open(reference, {}, { Statement: [statement] } as never))).code).toBe(
        'KEY_ACCESS_DENIED',
      );
  });

  it('to sign', async () => {
    const arn = stage.aws.signingKeys.create(place);
    const signer = await stage.open(arn, {}, only('kms:GetPublicKey'));
    const failure = await failureOf(signWith(signer));
    expect(failure.message).toMatch(/^signing with the KMS key arn:\S+ in eu-west-1 is denied: User: /);
    expect(failure.hint).toContain(`"Action":["kms:GetPublicKey","kms:Sign"],"Resource":"${arn}"`);
  });

  it('of the key policy', async () => {
    const arn = stage.aws.signingKeys.create(place);
    stage.aws.signingKeys.setPolicy(arn, { Statement: [] });
    const { hint } = await failureOf(stage.open(arn));
    expect(hint).toMatch(/^add to the policy of the key, with your role as Principal: .*"Resource":"\*"/);
  });

  it('by an explicit deny, or the session policy', async () => {
    const arn = stage.aws.signingKeys.create(place);
    const deny = {
      Statement: [...[login.Statement].flat(), { Effect: 'Deny', Action: 'kms:*', Resource: '*' }],
    };
    expect((await failureOf(stage.open(arn, {}, deny as never))).hint).toMatch(
      /^an Allow does not override an explicit deny: ask the owner of an identity-based policy$/,
    );
    const message = 'User: x is not authorized to perform: kms:Sign because no session policy allows it';
    const error = Object.assign(new Error(message), { name: 'AccessDeniedException' });
    const use = { reference: kmsReference('kms:alias/a'), region: 'eu-west-1', doing: 'signing with' };
    expect(kmsFailure(error, use).hint).toContain('the session policy of this step');
  });

  it('of the default chain to get its role', () => {
    const message = 'User: x is not authorized to perform: sts:AssumeRoleWithWebIdentity';
    const error = Object.assign(new Error(message), { name: 'AccessDenied' });
    const use = { reference: kmsReference('kms:alias/a'), region: 'eu-west-1', doing: 'signing with' };
    expect(kmsFailure(error, use).code).toBe('ASSUME_ROLE_DENIED');
  });
});

describe('a signature', () => {
  const open = (): Promise<KmsSigner> => stage.open(stage.aws.signingKeys.create(place));

  it('by a key that was disabled meanwhile', async () => {
    const signer = await open();
    stage.aws.signingKeys.setState(signer.keyArn, 'Disabled');
    expect((await failureOf(signWith(signer))).code).toBe('KMS_KEY_UNUSABLE');
  });

  it('is asked for again while KMS throttles and the caller waits', async () => {
    const signer = await open();
    stage.aws.faults.order({ operation: 'kms:Sign', fault: 'throttling', times: 5 });
    await signWith(signer);
    expect(stage.operations().filter((operation) => operation === 'kms:Sign')).toHaveLength(6);
  });

  it('is refused with the reason when the caller waits no longer', async () => {
    const signer = await open();
    stage.aws.faults.order({ operation: 'kms:Sign', fault: 'throttling' });
    const controller = new AbortController();
    const failing = failureOf(signWith(signer, controller.signal));
    // The AWS SDK itself tries three times.
    while (stage.operations().filter((operation) => operation === 'kms:Sign').length < 4) await sleep(20);
    controller.abort(new Failure('TIMEOUT', 'too long', { hint: 'wait' }));
    const { code, hint } = await failing;
    expect([code, hint.includes("KMS's quota")]).toEqual(['THROTTLED', true]);
  });

  it('is refused with the reason where KMS hangs after it limited the rate', async () => {
    const signer = await open();
    stage.aws.faults.order({ operation: 'kms:Sign', fault: 'throttling', times: 3 });
    stage.aws.faults.order({ operation: 'kms:Sign', fault: 'hang' });
    const controller = new AbortController();
    const failing = failureOf(signWith(signer, controller.signal));
    while (stage.operations().filter((operation) => operation === 'kms:Sign').length < 4) await sleep(20);
    controller.abort(new Failure('TIMEOUT', 'too long', { hint: 'wait' }));
    expect((await failing).code).toBe('THROTTLED');
  });

  it('that KMS does not answer ends with the caller', async () => {
    const signer = await open();
    stage.aws.faults.order({ operation: 'kms:Sign', fault: 'hang' });
    const reason = new Failure('TIMEOUT', 'too long', { hint: 'wait' });
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort(reason);
    }, 200);
    expect(await failureOf(signWith(signer, controller.signal))).toBe(reason);
  });

  it('of another program is none', async () => {
    const signer = await open();
    stage.aws.faults.order({ operation: 'kms:Sign', fault: 'foreign' });
    expect((await failureOf(signWith(signer))).code).toBe('NETWORK_UNREACHABLE');
  });
});

describe('a signature for a GitHub App', () => {
  it('of another program is none, and the error names the service', async () => {
    const reference = kmsReference(stage.aws.signingKeys.create({ ...place, spec: 'RSA_2048' }));
    stage.aws.faults.order({ operation: 'kms:Sign', fault: 'foreign' });
    const regions = {
      regions: [REGION],
      share: 5_000,
      signal: AbortSignal.timeout(10_000),
      warn: () => undefined,
    };
    const signing = signForApp(reference, Buffer.of(1), { place: stage.place(), regions });
    expect(await failureOf(signing)).toMatchObject({
      ...{ code: 'NETWORK_UNREACHABLE' },
      message: 'the answer of kms in eu-west-1 is broken or not from AWS',
    });
  });
});
