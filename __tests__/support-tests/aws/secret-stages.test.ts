import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type UpdateSecretVersionStageCommandInput,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { failureOf } from './clients.ts';

let world: ReadyWorld;
let secrets: SecretsManagerClient;
let first: string;

beforeEach(async () => {
  world = await startReadyWorld();
  first = world.putSecret('ci/key', 'first').versionId;
  secrets = client('secretsmanager:*');
});
afterEach(() => world.stop());

function client(...actions: string[]): SecretsManagerClient {
  const userArn = `arn:aws:iam::${ACCOUNT}:user/rotation`;
  const credentials = world.aws.iam.createAccessKey({ userArn, policies: [allow(actions, '*')] });
  return new SecretsManagerClient({
    ...{ region: REGION, endpoint: world.aws.endpoint, maxAttempts: 1, credentials },
  });
}
const put = async (SecretString: string, VersionStages?: string[], ClientRequestToken?: string) => {
  const input = { SecretId: 'ci/key', SecretString, VersionStages, ClientRequestToken };
  return (await secrets.send(new PutSecretValueCommand(input))).VersionId ?? '';
};
const move = (input: Omit<UpdateSecretVersionStageCommandInput, 'SecretId'>, by = secrets) =>
  by.send(new UpdateSecretVersionStageCommand({ SecretId: 'ci/key', ...input }));
const valueOf = async (VersionStage: string) =>
  (await secrets.send(new GetSecretValueCommand({ SecretId: 'ci/key', VersionStage }))).SecretString;

describe('PutSecretValue', () => {
  test('with a staging label of its own leaves the current version alone', async () => {
    await put('second', ['next']);
    expect(await valueOf('AWSCURRENT')).toBe('first');
    expect(await valueOf('next')).toBe('second');
  });

  test('twice with one token stores one version', async () => {
    const token = '0123456789abcdef0123456789abcdef';
    expect([await put('second', ['next'], token), await put('second', ['next'], token)]).toEqual([
      token,
      token,
    ]);
    await put('third');
    expect([await valueOf('AWSCURRENT'), await valueOf('AWSPREVIOUS')]).toEqual(['third', 'first']);
  });

  test('needs a permission of its own', async () => {
    secrets = client('secretsmanager:GetSecretValue');
    expect((await failureOf(put('second'))).name).toBe('AccessDeniedException');
  });
});

describe('UpdateSecretVersionStage', () => {
  test('moves AWSCURRENT, and AWSPREVIOUS to the version that had it', async () => {
    const second = await put('second', ['next']);
    await move({ VersionStage: 'AWSCURRENT', RemoveFromVersionId: first, MoveToVersionId: second });
    expect([await valueOf('AWSCURRENT'), await valueOf('AWSPREVIOUS')]).toEqual(['second', 'first']);
    await move({ VersionStage: 'next', RemoveFromVersionId: second });
    expect((await failureOf(valueOf('next'))).name).toBe('ResourceNotFoundException');
  });

  test('only moves a label from the version that it is told', async () => {
    const second = await put('second', ['next']);
    const without = failureOf(move({ VersionStage: 'AWSCURRENT', MoveToVersionId: second }));
    expect((await without).name).toBe('InvalidParameterException');
    const wrong = { VersionStage: 'AWSCURRENT', RemoveFromVersionId: second, MoveToVersionId: second };
    expect((await failureOf(move(wrong))).name).toBe('InvalidParameterException');
    expect(await valueOf('AWSCURRENT')).toBe('first');
  });

  test('never takes AWSCURRENT away, knows only versions that exist, and needs a permission of its own', async () => {
    const away = { VersionStage: 'AWSCURRENT', RemoveFromVersionId: first };
    expect((await failureOf(move(away))).name).toBe('InvalidParameterException');
    const nowhere = { VersionStage: 'new', MoveToVersionId: '0'.repeat(32) };
    expect((await failureOf(move(nowhere))).name).toBe('ResourceNotFoundException');
    const weak = client('secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue');
    const label = { VersionStage: 'new', MoveToVersionId: first };
    expect((await failureOf(move(label, weak))).name).toBe('AccessDeniedException');
  });
});
