import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { Credentials, LocalAws, PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { failureOf, ssmClient, stsClient } from './clients.ts';

const USER = `arn:aws:iam::${ACCOUNT}:user/deployer`;
const READER = `arn:aws:iam::${ACCOUNT}:role/reader`;
const NEXT = `arn:aws:iam::${ACCOUNT}:role/next`;

let world: ReadyWorld;
let aws: LocalAws;
let user: Credentials;

function trust(principal: string, ...Action: string[]): PolicyDocument {
  const statement = { Effect: 'Allow', Principal: { AWS: principal }, Action } as const;
  return { Version: '2012-10-17', Statement: [statement] };
}

const ownKeys: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: `arn:aws:ssm:*:${ACCOUNT}:parameter/ci/\${aws:PrincipalTag/Repository}/*`,
    },
    { Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession'], Resource: '*' },
  ],
};

beforeEach(async () => {
  world = await startReadyWorld();
  ({ aws } = world);
  user = aws.iam.createAccessKey({ userArn: USER });
  const both = ['sts:AssumeRole', 'sts:TagSession'];
  aws.iam.createRole({ arn: READER, trustPolicy: trust(USER, ...both), policies: [ownKeys] });
  aws.iam.createRole({ arn: NEXT, trustPolicy: trust(READER, ...both), policies: [ownKeys] });
});
afterEach(() => world.stop());

async function assume(
  more: Partial<AssumeRoleCommandInput> = {},
  caller = user,
): Promise<Required<Omit<Credentials, 'expiration'>>> {
  const input = { RoleArn: READER, RoleSessionName: 'tagged', ...more };
  const { Credentials: given } = await stsClient(aws, caller).send(new AssumeRoleCommand(input));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = given ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}

const tag = (Key: string, Value = 'lib'): { Key: string; Value: string } => ({ Key, Value });

async function reads(name: string, session: Credentials): Promise<boolean> {
  const client = ssmClient(aws, session);
  return await client.send(new GetParameterCommand({ Name: name })).then(
    () => true,
    () => false,
  );
}

describe('session tags', () => {
  test('are what aws:PrincipalTag stands for in a policy, whatever the case of the key', async () => {
    for (const name of ['lib', 'app']) world.put(`/ci/${name}/key`, 'text');
    const session = await assume({ Tags: [tag('repository')] });
    expect([await reads('/ci/lib/key', session), await reads('/ci/app/key', session)]).toEqual([true, false]);
    expect(await reads('/ci/lib/key', await assume())).toBe(false);
  });

  test('need sts:TagSession in the trust policy of the role', async () => {
    aws.iam.createRole({ arn: READER, trustPolicy: trust(USER, 'sts:AssumeRole') });
    await expect(assume()).resolves.toBeDefined();
    expect(await failureOf(assume({ Tags: [tag('Team')] }))).toMatchObject({
      name: 'AccessDenied',
      message: `User: ${USER} is not authorized to perform: sts:TagSession on resource: ${READER}`,
    });
  });

  test("need sts:TagSession in the caller's own policy where the trust policy names its account", async () => {
    aws.iam.createRole({ arn: READER, trustPolicy: trust(ACCOUNT, 'sts:*') });
    const lacking = aws.iam.createAccessKey({ userArn: USER, policies: [allow('sts:AssumeRole', READER)] });
    await expect(assume({}, lacking)).resolves.toBeDefined();
    expect(await failureOf(assume({ Tags: [tag('Team')] }, lacking))).toMatchObject({ name: 'AccessDenied' });
    const having = aws.iam.createAccessKey({ userArn: USER, policies: [allow('sts:*', READER)] });
    await expect(assume({ Tags: [tag('Team')] }, having)).resolves.toBeDefined();
  });

  test('are conditions of a trust policy: by value, by key, by what goes on', async () => {
    const conditions = {
      StringEquals: { 'aws:RequestTag/Team': 'lib' },
      'ForAllValues:StringEquals': { 'aws:TagKeys': ['Team'], 'sts:TransitiveTagKeys': ['Team'] },
    };
    const [statement] = trust(USER, 'sts:AssumeRole', 'sts:TagSession').Statement as [object];
    const Statement = [{ ...statement, Condition: conditions }] as unknown as PolicyDocument['Statement'];
    aws.iam.createRole({ arn: READER, trustPolicy: { Version: '2012-10-17', Statement } });
    await expect(assume({ Tags: [tag('Team')], TransitiveTagKeys: ['Team'] })).resolves.toBeDefined();
    for (const Tags of [[tag('Team', 'app')], [tag('Team'), tag('More')]])
      expect(await failureOf(assume({ Tags }))).toMatchObject({ name: 'AccessDenied' });
  });

  test('that are transitive go on along a chain, need sts:TagSession there, and cannot be replaced', async () => {
    world.put('/ci/lib/key', 'text');
    const first = await assume({
      Tags: [tag('Repository'), tag('Team')],
      TransitiveTagKeys: ['Repository'],
    });
    const next = await assume({ RoleArn: NEXT, Tags: [tag('Team', 'app')] }, first);
    expect(await reads('/ci/lib/key', next)).toBe(true);
    expect(await failureOf(assume({ RoleArn: NEXT, Tags: [tag('repository', 'app')] }, first))).toMatchObject(
      { message: expect.stringContaining('conflicts with a transitive tag key') },
    );
    aws.iam.createRole({ arn: NEXT, trustPolicy: trust(READER, 'sts:AssumeRole') });
    expect(await failureOf(assume({ RoleArn: NEXT }, first))).toMatchObject({
      message: expect.stringContaining('is not authorized to perform: sts:TagSession'),
    });
    await expect(assume({ RoleArn: NEXT }, await assume({ Tags: [tag('Team')] }))).resolves.toBeDefined();
  });

  test.each<[string, Partial<AssumeRoleCommandInput>, string, RegExp]>([
    [
      '51 of them',
      { Tags: Array.from({ length: 51 }, (_, i) => tag(`k${String(i)}`, '')) },
      'ValidationError',
      /'tags'/,
    ],
    ['a key of 129 characters', { Tags: [tag('k'.repeat(129))] }, 'ValidationError', /equal to 128/],
    ['a value of 257 characters', { Tags: [tag('k', 'v'.repeat(257))] }, 'ValidationError', /equal to 256/],
    ['a character that AWS does not take', { Tags: [tag('k', 'a#b')] }, 'ValidationError', /pattern/],
    ['an empty key', { Tags: [tag('')] }, 'ValidationError', /equal to 1/],
    [
      'two keys that differ by case',
      { Tags: [tag('Team'), tag('team')] },
      'InvalidParameterValue',
      /Duplicate/,
    ],
    [
      'a transitive key without its tag',
      { TransitiveTagKeys: ['k'] },
      'InvalidParameterValue',
      /must be included/,
    ],
    [
      'too much for their packed size',
      { Tags: [1, 2, 3, 4, 5, 6].map((n) => tag(`k${String(n)}`, 'v'.repeat(256))) },
      'PackedPolicyTooLargeException',
      /Packed size of session tags consumes 1\d\d%/,
    ],
  ])('are refused for %s', async (...[, more, name, message]) => {
    expect(await failureOf(assume(more))).toMatchObject({
      name,
      message: expect.stringMatching(message) as unknown,
    });
  });
});
