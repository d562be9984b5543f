/** The policies of the KMS keys that the templates make, evaluated like IAM. */
import { describe, expect, it } from '@jest/globals';
import { many, type PolicyDocument } from './support/aws/iam/policy-document.ts';
import { evaluate as decide } from './support/aws/iam/policy.ts';
import { ACCOUNT, REGION } from './support/aws/world.ts';
import { KEY_ARN, makeStack } from './support/cloudformation.ts';

const job = { Owner: 'acme', OwnerId: '1234', Repository: 'app', RepositoryId: '5678' };
const given = { KeyAlias: 'alias/deploy', KeySpec: 'RSA_3072', RoleName: 'deploy' };

describe('the key of ci-role', () => {
  const { KeyPolicy } = makeStack('ci-role', job).resources['Key']?.properties as {
    KeyPolicy: PolicyDocument;
  };
  /** A request of the account: IAM allows it, so the key's policy decides. */
  const allowed = (action: string, context: Record<string, string> = {}): boolean =>
    decide([KeyPolicy], { action, resource: KEY_ARN, context }) === 'Allow';
  const through = (name: string, service = 'ssm'): Record<string, string> => ({
    'kms:ViaService': `${service}.${REGION}.amazonaws.com`,
    'kms:EncryptionContext:PARAMETER_ARN': `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${name}`,
  });

  it('names the account, whose IAM policies decide', () => {
    const principals = many(KeyPolicy.Statement).map(({ Principal }) => Principal);
    expect(principals).toEqual(Array(2).fill({ AWS: `arn:aws:iam::${ACCOUNT}:root` }));
  });

  it.each(['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'])(
    'can be used by %s only through Parameter Store, and only for parameters below the path',
    (action) => {
      expect(allowed(action, through('/ci/deploy-key'))).toBe(true);
      expect(allowed(action)).toBe(false);
      expect(allowed(action, through('/prod/deploy-key'))).toBe(false);
      expect(allowed(action, through('/ci-2/deploy-key'))).toBe(false);
      expect(allowed(action, through('/ci/deploy-key', 'secretsmanager'))).toBe(false);
    },
  );

  it('can be administered, without grants that would allow more', () => {
    for (const action of [
      'kms:PutKeyPolicy',
      'kms:DescribeKey',
      'kms:ScheduleKeyDeletion',
      'kms:CreateAlias',
    ])
      expect([action, allowed(action)]).toEqual([action, true]);
    for (const action of ['kms:CreateGrant', 'kms:ReEncryptFrom', 'kms:Sign'])
      expect([action, allowed(action)]).toEqual([action, false]);
  });
});

describe('the key of kms-key', () => {
  const { KeyPolicy, KeySpec, KeyUsage } = makeStack('kms-key', given).resources['Key']?.properties as {
    KeyPolicy: PolicyDocument;
    KeySpec: string;
    KeyUsage: string;
  };
  const allowed = (action: string, role: string): boolean =>
    decide([KeyPolicy], {
      ...{ action, resource: KEY_ARN },
      context: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/${role}` },
    }) === 'Allow';

  it('signs, and is of the type that the parameter names', () => {
    expect([KeySpec, KeyUsage]).toEqual(['RSA_3072', 'SIGN_VERIFY']);
  });

  it('is used by one role, with or without a path', () => {
    const roles = ['deploy', 'ci/deploy', 'a/b/deploy', 'deploy2', 'predeploy', 'deploy/other', 'Admin'];
    expect(roles.filter((role) => allowed('kms:Sign', role))).toEqual(['deploy', 'ci/deploy', 'a/b/deploy']);
  });

  it('can be administered by the account, and read by nobody', () => {
    for (const action of [
      'PutKeyPolicy',
      'DescribeKey',
      'ScheduleKeyDeletion',
      'GetPublicKey',
      'UpdateAlias',
    ])
      expect([action, allowed(`kms:${action}`, 'Admin')]).toEqual([action, true]);
    for (const action of ['CreateGrant', 'Sign', 'Decrypt', 'ReplicateKey'])
      expect([action, allowed(`kms:${action}`, 'Admin')]).toEqual([action, false]);
  });
});
