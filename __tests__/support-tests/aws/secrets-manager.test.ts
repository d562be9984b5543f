import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
  type BatchGetSecretValueCommandOutput,
  type GetSecretValueCommandInput,
  type GetSecretValueCommandOutput,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { LocalAws, PolicyDocument } from '../../support/aws/local-aws.ts';
import {
  ACCOUNT,
  allow,
  REGION,
  ROLE_ARN,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../../support/aws/world.ts';
import { failureOf } from './clients.ts';

const OTHER_ACCOUNT = '444455556666';
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/ci/run-1`;

let world: ReadyWorld;
let aws: LocalAws;

beforeEach(async () => {
  world = await startReadyWorld();
  ({ aws } = world);
});
afterEach(() => world.stop());

function client(...sessionPolicies: PolicyDocument[]): SecretsManagerClient {
  const session = { roleArn: ROLE_ARN, sessionName: 'run-1' };
  const credentials = aws.iam.createSession(
    sessionPolicies.length > 0 ? { ...session, sessionPolicies } : session,
  );
  return new SecretsManagerClient({ region: REGION, endpoint: aws.endpoint, maxAttempts: 1, credentials });
}
const get = (
  SecretId: string,
  more: Omit<GetSecretValueCommandInput, 'SecretId'> = {},
  by = client(),
): Promise<GetSecretValueCommandOutput> => by.send(new GetSecretValueCommand({ SecretId, ...more }));
const getAll = (ids: string[], by = client()): Promise<BatchGetSecretValueCommandOutput> =>
  by.send(new BatchGetSecretValueCommand({ SecretIdList: ids }));
const grant = (...policies: PolicyDocument[]): void => {
  aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
};
const arnOf = (name: string): string => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}`;

describe('a secret', () => {
  test('is answered with its ARN, name, version, stages and value', async () => {
    const { arn, versionId } = world.putSecret('ci/key', 'text');
    const { $metadata, ...answer } = await get('ci/key');
    expect($metadata.httpStatusCode).toBe(200);
    expect(arn).toMatch(/:secret:ci\/key-[A-Za-z0-9]{6}$/);
    expect(answer).toEqual({
      ARN: arn,
      CreatedDate: expect.any(Date),
      Name: 'ci/key',
      SecretString: 'text',
      VersionId: versionId,
      VersionStages: ['AWSCURRENT'],
    });
  });

  test('is returned as bytes if bytes were stored', async () => {
    const bytes = Uint8Array.from([0, 255, 10, 128]);
    world.putSecret('ci/key', bytes);
    const { SecretBinary, SecretString } = await get('ci/key');
    expect([SecretBinary && [...SecretBinary], SecretString]).toEqual([[...bytes], undefined]);
  });

  test('is found by its ARN, with and without the six characters', async () => {
    const { arn } = world.putSecret('ci/key', 'text');
    for (const id of [arn, arn.slice(0, -7)]) expect(await get(id)).toMatchObject({ SecretString: 'text' });
    expect(await failureOf(get(arn.split(':').at(-1) ?? ''))).toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('has stages that move when a new version is stored', async () => {
    const ids = ['1', '2', '3'].map((value) => world.putSecret('ci/key', value).versionId);
    world.putSecret('ci/key', '4', { stages: ['canary'] });
    expect(await get('ci/key')).toMatchObject({ SecretString: '3' });
    expect(await get('ci/key', { VersionStage: 'AWSPREVIOUS' })).toMatchObject({ SecretString: '2' });
    expect(await get('ci/key', { VersionStage: 'canary' })).toMatchObject({ SecretString: '4' });
    expect(await get('ci/key', { VersionId: ids[0] })).toMatchObject({
      SecretString: '1',
      VersionStages: [],
    });
  });

  test('that is missing, or has no such version, has different messages', async () => {
    const { versionId } = world.putSecret('ci/key', 'text');
    const refusals = [
      get('ci/none'),
      get('ci/key', { VersionStage: 'AWSPREVIOUS' }),
      get('ci/key', { VersionId: '0'.repeat(36) }),
      get('ci/key', { VersionId: versionId, VersionStage: 'AWSPREVIOUS' }),
    ];
    const told = await Promise.all(refusals.map(failureOf));
    const not = "Secrets Manager can't find the specified secret";
    expect(told.map(({ name, message }) => `${name}: ${message}`)).toEqual([
      `ResourceNotFoundException: ${not}.`,
      `ResourceNotFoundException: ${not} value for staging label: AWSPREVIOUS`,
      `ResourceNotFoundException: ${not} value for VersionId: ${'0'.repeat(36)}`,
      'InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId.',
    ]);
  });

  test('that was marked for deletion cannot be read', async () => {
    world.putSecret('ci/key', 'text');
    aws.secrets.markDeleted({ account: ACCOUNT, region: REGION }, 'ci/key');
    expect(await failureOf(get('ci/key'))).toEqual({
      name: 'InvalidRequestException',
      message: "You can't perform this operation on the secret because it was marked for deletion.",
      status: 400,
    });
  });

  test('is a different one in another Region and account', async () => {
    const { arn } = world.putSecret('ci/key', 'text', { region: 'us-east-1' });
    expect(await failureOf(get('ci/key'))).toMatchObject({ name: 'ResourceNotFoundException' });
    grant(allow('*', '*'));
    expect(await failureOf(get(arn))).toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('permission', () => {
  test('is for the ARN with its six characters', async () => {
    const { arn } = world.putSecret('ci/key', 'text');
    const action = 'secretsmanager:GetSecretValue';
    for (const resource of [arn, arnOf('ci/key-??????'), arnOf('ci/*')]) {
      expect(await get('ci/key', {}, client(allow(action, resource)))).toMatchObject({
        SecretString: 'text',
      });
    }
    expect(await failureOf(get('ci/key', {}, client(allow(action, arnOf('ci/key')))))).toEqual({
      name: 'AccessDeniedException',
      message: `User: ${SESSION} is not authorized to perform: ${action} on resource: ${arn} because no session policy allows the ${action} action`,
      status: 400,
    });
  });

  test('by a stage is a condition', async () => {
    world.putSecret('ci/key', '1');
    world.putSecret('ci/key', '2');
    const Condition = { StringEquals: { 'secretsmanager:VersionStage': 'AWSPREVIOUS' } };
    const Action = 'secretsmanager:GetSecretValue';
    const by = client({ Statement: { Effect: 'Allow', Action, Resource: '*', Condition } });
    expect(await get('ci/key', { VersionStage: 'AWSPREVIOUS' }, by)).toMatchObject({ SecretString: '1' });
    expect(await failureOf(get('ci/key', {}, by))).toMatchObject({ name: 'AccessDeniedException' });
  });

  test("of another account needs the secret's own policy too", async () => {
    const shared = { account: OTHER_ACCOUNT, sharedWith: [ACCOUNT] };
    grant(allow(['secretsmanager:GetSecretValue', 'kms:Decrypt'], '*'));
    const { arn: managed } = world.putSecret('ci/managed', 'text', shared);
    // Only its own account can use the AWS-managed key.
    expect(await failureOf(get(managed))).toMatchObject({ message: 'Access to KMS is not allowed' });
    const keyId = aws.kms.createKey({ ...shared, region: REGION });
    const { arn } = world.putSecret('ci/theirs', 'text', { ...shared, keyId });
    expect(await get(arn)).toMatchObject({ SecretString: 'text' });
    const { arn: kept } = world.putSecret('ci/kept', 'text', { account: OTHER_ACCOUNT });
    expect(await failureOf(get(kept))).toMatchObject({
      message: expect.stringContaining('no resource-based policy allows the secretsmanager:GetSecretValue'),
    });
  });
});

describe('a batch', () => {
  test('returns readable secrets, and an error for each other one', async () => {
    world.putSecret('ci/a', 'A');
    world.putSecret('ci/b', 'B');
    world.putSecret('other/c', 'C');
    world.putSecret('ci/gone', 'gone');
    aws.secrets.markDeleted({ account: ACCOUNT, region: REGION }, 'ci/gone');
    const ids = ['ci/a', 'ci/none', 'other/c', 'ci/b', 'ci/gone'];
    const { SecretValues = [], Errors = [] } = await getAll(ids);
    expect(
      SecretValues.map(({ Name, SecretString }) => `${String(Name)} ${String(SecretString)}`).sort(),
    ).toEqual(['ci/a A', 'ci/b B']);
    expect(Errors.map(({ SecretId, ErrorCode }) => [SecretId, ErrorCode])).toEqual([
      ['ci/none', 'ResourceNotFoundException'],
      ['other/c', 'AccessDeniedException'],
      ['ci/gone', 'InvalidRequestException'],
    ]);
  });

  test('has a separate permission without a resource', async () => {
    const { arn } = world.putSecret('ci/a', 'A');
    const read = allow('secretsmanager:GetSecretValue', '*');
    const batch = 'secretsmanager:BatchGetSecretValue';
    expect(await failureOf(getAll([arn], client(read)))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`not authorized to perform: ${batch} because no session policy`),
    });
    expect(await failureOf(getAll([arn], client(read, allow(batch, arn))))).toMatchObject({
      name: 'AccessDeniedException',
    });
    const { SecretValues } = await getAll([arn], client(read, allow(batch, '*')));
    expect(SecretValues).toHaveLength(1);
  });

  test('takes 20 ids', async () => {
    const ids = Array.from({ length: 21 }, (_, i) => `ci/${String(i)}`);
    expect((await getAll(ids.slice(1))).Errors).toHaveLength(20);
    expect(await failureOf(getAll(ids))).toMatchObject({ name: 'ValidationException' });
  });
});

describe('a customer key', () => {
  const decrypt = (Condition: object): PolicyDocument => ({
    Statement: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', Condition } as never,
  });

  test("needs kms:Decrypt, which may be limited to Secrets Manager and this secret's ARN", async () => {
    const keyId = aws.kms.createKey({ account: ACCOUNT, region: REGION });
    const { arn } = world.putSecret('ci/key', 'text', { keyId });
    const denied = { name: 'AccessDeniedException', message: 'Access to KMS is not allowed', status: 400 };
    expect(await failureOf(get('ci/key'))).toEqual(denied);
    const read = allow('secretsmanager:GetSecretValue', '*');
    const by = (service: string, secret: string): PolicyDocument =>
      decrypt({
        StringEquals: {
          'kms:ViaService': `${service}.${REGION}.amazonaws.com`,
          'kms:EncryptionContext:SecretARN': secret,
        },
      });
    grant(read, by('secretsmanager', arn));
    expect(await get('ci/key')).toMatchObject({ SecretString: 'text' });
    for (const policy of [by('ssm', arn), by('secretsmanager', arnOf('ci/other-AbCdEf'))]) {
      grant(read, policy);
      expect(await failureOf(get('ci/key'))).toEqual(denied);
    }
  });

  test('that is disabled or gone makes the secret unreadable', async () => {
    const keyId = aws.kms.createKey({ account: ACCOUNT, region: REGION });
    world.putSecret('ci/key', 'text', { keyId });
    grant(allow('*', '*'));
    aws.kms.setState(keyId, 'Disabled');
    expect(await failureOf(get('ci/key'))).toMatchObject({ name: 'DecryptionFailure' });
    aws.kms.deleteKey(keyId);
    expect(await failureOf(get('ci/key'))).toMatchObject({ name: 'DecryptionFailure' });
  });
});
