import { GetParameterCommand } from '@aws-sdk/client-ssm';
import {
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  type AssumeRoleWithWebIdentityCommandOutput,
} from '@aws-sdk/client-sts';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import type { LocalAws } from '../../support/aws/local-aws.ts';
import {
  ACCOUNT,
  allow,
  REGION,
  ROLE_ARN,
  startReadyWorld,
  type ReadyWorld,
} from '../../support/aws/world.ts';
import { failureOf, ssmClient, stsClient } from './clients.ts';

let world: ReadyWorld;
let aws: LocalAws;

beforeEach(async () => {
  world = await startReadyWorld();
  ({ aws } = world);
});
afterEach(() => world.stop());

type WebIdentityInput = Partial<AssumeRoleWithWebIdentityCommandInput>;

async function assume(more: WebIdentityInput): Promise<AssumeRoleWithWebIdentityCommandOutput> {
  const WebIdentityToken = await aws.oidc.issueToken({}, 'sts.amazonaws.com');
  const input = { RoleArn: ROLE_ARN, RoleSessionName: 'run-1', WebIdentityToken, ...more };
  return stsClient(aws).send(new AssumeRoleWithWebIdentityCommand(input));
}

const policyOf = (resources: readonly string[]): string =>
  JSON.stringify(allow(['ssm:GetParameter', 'ssm:GetParameters'], resources));
const arns = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, i) => `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/deploy-key-${String(i)}`,
  );

test.each<[string, WebIdentityInput, { name: string; message: string }]>([
  [
    'a short session name',
    { RoleSessionName: 'x' },
    {
      name: 'ValidationError',
      message:
        "1 validation error detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
    },
  ],
  [
    'a long session name',
    { RoleSessionName: 'x'.repeat(65) },
    {
      name: 'ValidationError',
      message: `1 validation error detected: Value '${'x'.repeat(65)}' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    },
  ],
  [
    'a session name with a slash',
    { RoleSessionName: 'acme/app' },
    {
      name: 'ValidationError',
      message:
        "1 validation error detected: Value 'acme/app' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    },
  ],
  [
    'a short duration',
    { DurationSeconds: 899 },
    {
      name: 'ValidationError',
      message:
        "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    },
  ],
  [
    "more than the role's maximum",
    { DurationSeconds: 3601 },
    {
      name: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    },
  ],
  [
    'an invalid role ARN',
    { RoleArn: 'ci-role-of-the-account' },
    { name: 'ValidationError', message: 'ci-role-of-the-account is invalid' },
  ],
  [
    'a policy that is not JSON',
    { Policy: 'auto' },
    { name: 'MalformedPolicyDocumentException', message: 'This policy contains invalid Json' },
  ],
  [
    'a policy for a bare name',
    { Policy: policyOf(['/ci/key']) },
    { name: 'MalformedPolicyDocumentException', message: 'Resource /ci/key must be in ARN format or "*".' },
  ],
])('STS refuses %s', async (_name, input, expected) => {
  expect(await failureOf(assume(input))).toEqual({ ...expected, status: 400 });
});

test('accept the exact limits', async () => {
  await expect(assume({ RoleSessionName: 'x'.repeat(64), DurationSeconds: 900 })).resolves.toBeDefined();
  await expect(assume({ RoleSessionName: 'a+=,.@-_', DurationSeconds: 3600 })).resolves.toBeDefined();
});

test('count 2,048 characters of plain policy', async () => {
  const policy = policyOf(['*']);
  await expect(assume({ Policy: policy.padEnd(2048) })).resolves.toBeDefined();
  const failure = await failureOf(assume({ Policy: policy.padEnd(2049) }));
  expect(failure).toMatchObject({
    name: 'ValidationError',
    message: expect.stringContaining('Member must have length less than or equal to 2048'),
  });
});

test('pack about 16 parameter ARNs, not 24, and report the packed size', async () => {
  // The SDK marks this member as deprecated; STS still sends it.
  const { PackedPolicySize: size }: { PackedPolicySize?: number | undefined } = await assume({
    Policy: policyOf(arns(16)),
  });
  expect(size).toBeGreaterThan(70);
  expect(size).toBeLessThanOrEqual(100);
  const failure = await failureOf(assume({ Policy: policyOf(arns(24)) }));
  expect(failure).toMatchObject({ name: 'PackedPolicyTooLargeException', status: 400 });
  expect(failure.message).toMatch(
    /^Packed policy consumes 1\d\d% of allotted space, please use smaller policy\.$/,
  );
});

test('with an encryption context each, half as many fit', async () => {
  const bound = (count: number): string => {
    const read = allow('ssm:GetParameter', arns(count)).Statement;
    const context = { StringEquals: { 'kms:EncryptionContext:PARAMETER_ARN': arns(count) } };
    const decrypt = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', Condition: context };
    return JSON.stringify({ Version: '2012-10-17', Statement: [read, decrypt].flat() });
  };
  await expect(assume({ Policy: bound(8) })).resolves.toBeDefined();
  expect(await failureOf(assume({ Policy: bound(12) }))).toMatchObject({
    name: 'PackedPolicyTooLargeException',
  });
});

test('managed policies narrow a session like an inline one', async () => {
  const arn = `arn:aws:iam::${ACCOUNT}:policy/nothing`;
  expect(await failureOf(assume({ PolicyArns: [{ arn }] }))).toMatchObject({ name: 'ValidationError' });
  aws.iam.createPolicy({ arn, document: allow('s3:GetObject', '*') });
  const { Credentials: given } = await assume({ PolicyArns: [{ arn }] });
  const session = {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
  const read = new GetParameterCommand({ Name: '/ci/key' });
  expect(await failureOf(ssmClient(aws, session).send(read))).toMatchObject({
    message: expect.stringContaining('because no session policy allows the ssm:GetParameter action'),
  });
});
