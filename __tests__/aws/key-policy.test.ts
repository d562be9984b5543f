/** The statements for references, evaluated like IAM: what they allow, and that no name of a reference widens them. */
import { describe, expect, it } from '@jest/globals';
import { encryptionOf, keyStatements, type Encryption, type Purpose } from '../../src/aws/key-policy.ts';
import { documentOf } from '../../src/aws/statement.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import { decide } from '../support/aws/iam/policy.ts';

const home = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };
const parameter = 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key';
const secret = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:ci/deploy';
const key = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const unknown = { kind: 'unknown' } as const;

/** A function that says which of the actions the policy allows. */
function policyFor(texts: readonly string[], purpose: Purpose, encryption: Encryption = unknown) {
  const stored = texts.map((text) => ({ reference: parseReference(text), encryption }));
  const text = JSON.stringify(documentOf(keyStatements(stored, purpose, home)));
  const identity = [parsePolicy(text, 'permission')];
  return (action: string, resource: string, context: Readonly<Record<string, string | string[]>> = {}) =>
    decide({ identity }, { action, resource, context }).allowed;
}

const viaSsm = {
  'kms:ViaService': 'ssm.eu-west-1.amazonaws.com',
  'kms:EncryptionContext:PARAMETER_ARN': parameter,
};
const viaSecrets = {
  'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com',
  'kms:EncryptionContext:SecretARN': `${secret}-AbCdEf`,
};

describe('a policy for a reference', () => {
  it.each<[Purpose, string[], string[]]>([
    ['read', ['ssm:GetParameter'], ['ssm:GetParameters', 'ssm:PutParameter', 'ssm:DeleteParameter']],
    [
      'write',
      ['ssm:PutParameter', 'ssm:AddTagsToResource'],
      ['ssm:GetParameter', 'ssm:DeleteParameter', 'ssm:LabelParameterVersion'],
    ],
    [
      'rotate',
      [
        ...['ssm:GetParameter', 'ssm:PutParameter', 'ssm:GetParameterHistory'],
        ...['ssm:LabelParameterVersion', 'ssm:UnlabelParameterVersion'],
      ],
      ['ssm:DeleteParameter', 'ssm:AddTagsToResource'],
    ],
  ])('to %s a parameter allows what is needed, and nothing else', (purpose, needed, others) => {
    const may = policyFor(['/ci/key:7'], purpose);
    expect(needed.filter((action) => !may(action, parameter))).toEqual([]);
    expect(needed.filter((action) => may(action, `${parameter}2`))).toEqual([]);
    expect(others.filter((action) => may(action, parameter))).toEqual([]);
  });

  it.each<[Purpose, string[], string[]]>([
    ['read', ['secretsmanager:GetSecretValue'], ['secretsmanager:PutSecretValue']],
    [
      'write',
      [
        ...['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue', 'secretsmanager:TagResource'],
        'secretsmanager:GetSecretValue',
      ],
      ['secretsmanager:UpdateSecret', 'secretsmanager:DeleteSecret'],
    ],
    [
      'rotate',
      [
        ...['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
        'secretsmanager:UpdateSecretVersionStage',
      ],
      ['secretsmanager:CreateSecret', 'secretsmanager:DeleteSecret', 'secretsmanager:DescribeSecret'],
    ],
  ])('to %s a secret allows what is needed, and nothing else', (purpose, needed, others) => {
    const may = policyFor(['secretsmanager:ci/deploy:private_key'], purpose);
    expect(needed.filter((action) => !may(action, `${secret}-AbCdEf`))).toEqual([]);
    expect(needed.filter((action) => may(action, `${secret}-of-others-AbCdEf`))).toEqual([]);
    expect(others.filter((action) => may(action, `${secret}-AbCdEf`))).toEqual([]);
  });

  it('allows a rotation to delete the staged key, and only that', () => {
    const may = policyFor(['/ci/key', '/ci/other'], 'rotate');
    const staging = ['ssm:GetParameter', 'ssm:PutParameter', 'ssm:DeleteParameter'];
    for (const name of [parameter, parameter.replace('key', 'other')]) {
      expect(staging.filter((action) => !may(action, `${name}.next`))).toEqual([]);
      expect(may('ssm:DeleteParameter', name)).toBe(false);
    }
    const context = { ...viaSsm, 'kms:EncryptionContext:PARAMETER_ARN': `${parameter}.next` };
    expect(may('kms:Encrypt', key, context)).toBe(true);
    expect(policyFor(['/ci/key'], 'write')('kms:Encrypt', key, context)).toBe(false);
  });

  it('allows to read a secret that is stored only if a member of it is stored', () => {
    const may = policyFor(['secretsmanager:ci/deploy:private_key', 'secretsmanager:ci/whole'], 'write');
    const [member, whole] = [`${secret}-AbCdEf`, `${secret.replace('deploy', 'whole')}-AbCdEf`];
    expect([member, whole].map((arn) => may('secretsmanager:GetSecretValue', arn))).toEqual([true, false]);
  });

  it('allows to find the KMS key of a parameter whose next version is stored', () => {
    const may = (text: string) => policyFor([text], 'write')('ssm:DescribeParameters', '*');
    expect([may('/ci/key'), may('secretsmanager:ci/deploy')]).toEqual([true, false]);
  });

  it('allows to make a secret, whose ARN has no random characters before', () => {
    expect(policyFor(['secretsmanager:ci/deploy'], 'write')('secretsmanager:CreateSecret', secret)).toBe(
      true,
    );
    expect(policyFor(['secretsmanager:ci/deploy'], 'read')('secretsmanager:GetSecretValue', secret)).toBe(
      false,
    );
  });

  it('allows to read several parameters in one call, and secrets one by one', () => {
    const two = policyFor(['/ci/key', '/ci/other'], 'read');
    expect(two('ssm:GetParameters', parameter)).toBe(true);
    expect(policyFor(['/ci/key', parameter], 'read')('ssm:GetParameters', parameter)).toBe(false);
    const secrets = policyFor(['secretsmanager:a', 'secretsmanager:b'], 'read');
    expect(secrets('secretsmanager:BatchGetSecretValue', '*')).toBe(false);
  });
});

describe('the KMS key of a reference', () => {
  it.each<[Encryption, boolean]>([
    [{ kind: 'key', arn: key }, true],
    [{ kind: 'key', arn: key.replace('1234abcd', 'abcd1234') }, false],
    [{ kind: 'alias', alias: 'alias/ci' }, true],
    [{ kind: 'alias', alias: 'alias/other' }, false],
    [unknown, true],
    [{ kind: 'aws-managed' }, false],
    [{ kind: 'none' }, false],
  ])('%j is used for this parameter, and for no other value: %s', (encryption, expected) => {
    const may = policyFor(['/ci/key'], 'read', encryption);
    const context = { ...viaSsm, 'kms:ResourceAliases': ['alias/ci'] };
    expect(may('kms:Decrypt', key, context)).toBe(expected);
    const others = [
      { ...context, 'kms:EncryptionContext:PARAMETER_ARN': `${parameter}2` },
      { ...context, 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' },
      { 'kms:ResourceAliases': ['alias/ci'] },
    ];
    expect(others.filter((other) => may('kms:Decrypt', key, other))).toEqual([]);
    expect(may('kms:Encrypt', key, context)).toBe(false);
  });

  it('is used for a secret whose random characters are not known', () => {
    const may = policyFor(['secretsmanager:ci/deploy'], 'read');
    expect(may('kms:Decrypt', key, viaSecrets)).toBe(true);
    const other = { ...viaSecrets, 'kms:EncryptionContext:SecretARN': `${secret}-of-others-AbCdEf` };
    expect(may('kms:Decrypt', key, other)).toBe(false);
  });

  it.each<[Purpose, string[]]>([
    ['write', ['kms:Encrypt', 'kms:GenerateDataKey']],
    ['rotate', ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey']],
  ])('may encrypt to %s', (purpose, actions) => {
    const may = policyFor(['/ci/key'], purpose, { kind: 'key', arn: key });
    const all = ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:ReEncryptFrom'];
    expect(all.filter((action) => may(action, key, viaSsm))).toEqual(actions);
  });

  it.each<[string, Encryption | undefined]>([
    [key, { kind: 'key', arn: key }],
    ['1234abcd-12ab-34cd-56ef-1234567890ab', { kind: 'key', arn: key }],
    [
      'mrk-1234abcd12ab34cd56ef1234567890ab',
      { kind: 'key', arn: 'arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab' },
    ],
    ['alias/ci', { kind: 'alias', alias: 'alias/ci' }],
    ['arn:aws:kms:eu-west-1:111122223333:alias/ci', { kind: 'alias', alias: 'alias/ci' }],
    ['arn:aws:kms:eu-west-1:444455556666:alias/ci', { kind: 'unknown' }],
    ['alias/aws/ssm', { kind: 'aws-managed' }],
    ['key/*', undefined],
    ['alias/*', undefined],
    ['arn:aws:kms:*:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab', undefined],
    ['', undefined],
  ])('written as %j is %j', (text, encryption) => {
    expect(encryptionOf(text, home)).toEqual(encryption);
  });
});

describe('the name of a reference', () => {
  it.each([
    ...['/ci/*', '/ci/ke?', '/ci/${aws:username}', 'secretsmanager:ci/*', 'secretsmanager:${aws:username}'],
    ...['arn:aws:ssm:*:111122223333:parameter/ci/key', 'arn:aws:ssm:eu-west-1:*:parameter/ci/key'],
    ...[
      'arn:aws:secretsmanager:eu-west-1:111122223333:secret:*',
      'arn:aws:ssm:eu-west-1:111122223333:parameter/*',
    ],
  ])('%s is refused, because a policy would read it as a pattern', (text) => {
    expect(() => parseReference(text)).toThrow(
      /characters that are not allowed|not the ARN|neither a version/,
    );
  });
});
