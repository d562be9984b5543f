import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import type { StoredSecret } from '../../support/aws/secretsmanager/secrets.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { failureOf } from './clients.ts';

let world: ReadyWorld;

beforeEach(async () => {
  world = await startReadyWorld();
});
afterEach(() => world.stop());

function client(...policies: PolicyDocument[]): SecretsManagerClient {
  const granted = policies.length > 0 ? policies : [allow('secretsmanager:*', '*')];
  const user = { userArn: `arn:aws:iam::${ACCOUNT}:user/writer`, policies: granted };
  const credentials = world.aws.iam.createAccessKey(user);
  return new SecretsManagerClient({
    region: REGION,
    endpoint: world.aws.endpoint,
    maxAttempts: 1,
    credentials,
  });
}
const secret = (): StoredSecret | undefined =>
  world.aws.secrets.find({ account: ACCOUNT, region: REGION }, 'ci/key');
const stages = (): string[][] => secret()?.versions.map((version) => [...version.stages]) ?? [];
const token = (number: number): string => `00000000-0000-0000-0000-00000000000${String(number)}`;

describe('a secret', () => {
  test('is created once, and the same call again is ignored', async () => {
    const create = { Name: 'ci/key', SecretString: 'text', ClientRequestToken: token(1) };
    const made = await client().send(
      new CreateSecretCommand({ ...create, Tags: [{ Key: 'a', Value: 'b' }] }),
    );
    expect(made).toMatchObject({ ARN: secret()?.arn, Name: 'ci/key', VersionId: token(1) });
    expect(await client().send(new CreateSecretCommand(create))).toMatchObject({ VersionId: token(1) });
    const other = new CreateSecretCommand({ ...create, ClientRequestToken: token(2) });
    expect(await failureOf(client().send(other))).toMatchObject({ name: 'ResourceExistsException' });
    expect([stages(), secret()?.tags]).toEqual([[['AWSCURRENT']], { a: 'b' }]);
  });

  test('gets a version by PutSecretValue and UpdateSecret, and the one before becomes AWSPREVIOUS', async () => {
    world.putSecret('ci/key', 'old', { description: 'first' });
    const put = { SecretId: 'ci/key', SecretString: 'text', ClientRequestToken: token(1) };
    for (let times = 0; times < 2; times += 1) await client().send(new PutSecretValueCommand(put));
    expect([stages(), secret()?.description]).toEqual([[['AWSPREVIOUS'], ['AWSCURRENT']], 'first']);
    await client().send(
      new UpdateSecretCommand({ ...put, ClientRequestToken: token(2), Description: 'new' }),
    );
    expect([stages().length, secret()?.description]).toEqual([3, 'new']);
  });

  test.each(['PutSecretValue', 'TagResource', 'CreateSecret'])(
    'needs its permission for %s',
    async (action) => {
      if (action !== 'CreateSecret') world.putSecret('ci/key', 'old');
      const denied = client(allow('secretsmanager:GetSecretValue', '*'));
      const SecretId = 'ci/key';
      const call =
        action === 'PutSecretValue'
          ? denied.send(new PutSecretValueCommand({ SecretId, SecretString: 'x' }))
          : action === 'TagResource'
            ? denied.send(new TagResourceCommand({ SecretId, Tags: [] }))
            : denied.send(new CreateSecretCommand({ Name: SecretId, SecretString: 'x' }));
      expect(await failureOf(call)).toMatchObject({
        name: 'AccessDeniedException',
        message: expect.stringContaining(`not authorized to perform: secretsmanager:${action}`),
      });
    },
  );

  test('needs kms:GenerateDataKey and kms:Decrypt under a key of the account', async () => {
    const KmsKeyId = world.aws.kms.createKey({ account: ACCOUNT, region: REGION });
    const create = new CreateSecretCommand({ Name: 'ci/key', SecretString: 'x', KmsKeyId });
    const secrets = allow('secretsmanager:*', '*');
    expect(await failureOf(client(secrets).send(create))).toMatchObject({
      message: 'Access to KMS is not allowed',
    });
    await client(secrets, allow(['kms:GenerateDataKey', 'kms:Decrypt'], KmsKeyId)).send(create);
    expect(secret()?.versions).toMatchObject([{ keyArn: KmsKeyId }]);
  });

  test('that is marked for deletion is neither created nor changed', async () => {
    world.putSecret('ci/key', 'old');
    world.aws.secrets.markDeleted({ account: ACCOUNT, region: REGION }, 'ci/key');
    for (const call of [
      client().send(new CreateSecretCommand({ Name: 'ci/key', SecretString: 'x' })),
      client().send(new PutSecretValueCommand({ SecretId: 'ci/key', SecretString: 'x' })),
    ])
      expect(await failureOf(call)).toMatchObject({ name: 'InvalidRequestException' });
  });

  test('refuses a value of more than 65,536 bytes', async () => {
    const create = new CreateSecretCommand({ Name: 'ci/key', SecretString: 'x'.repeat(65_537) });
    expect(await failureOf(client().send(create))).toMatchObject({ name: 'ValidationException' });
  });
});
