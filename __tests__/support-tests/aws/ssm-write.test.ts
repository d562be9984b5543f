import {
  AddTagsToResourceCommand,
  DeleteParameterCommand,
  DescribeParametersCommand,
  GetParameterCommand,
  GetParameterHistoryCommand,
  LabelParameterVersionCommand,
  PutParameterCommand,
  UnlabelParameterVersionCommand,
  type GetParameterHistoryCommandOutput,
  type LabelParameterVersionCommandOutput,
  type PutParameterCommandInput,
  type PutParameterCommandOutput,
  type SSMClient,
  type UnlabelParameterVersionCommandOutput,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import { startLocalAws, type LocalAws, type PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION } from '../../support/aws/world.ts';
import { failureOf, ssmClient } from './clients.ts';

const WRITE = [
  'ssm:PutParameter',
  'ssm:LabelParameterVersion',
  'ssm:UnlabelParameterVersion',
  'ssm:DeleteParameter',
  'ssm:GetParameter*',
];

let aws: LocalAws;
let ssm: SSMClient;
let name: string;
let count = 0;

function writer(...more: PolicyDocument[]): SSMClient {
  const policies = [allow(WRITE, `arn:aws:ssm:*:*:parameter/ci/*`), ...more];
  return ssmClient(
    aws,
    aws.iam.createAccessKey({ userArn: `arn:aws:iam::${ACCOUNT}:user/rotation`, policies }),
  );
}

const put = (
  more: Partial<PutParameterCommandInput> = {},
  client = ssm,
): Promise<PutParameterCommandOutput> =>
  client.send(new PutParameterCommand({ Name: name, Value: 'text', Type: 'SecureString', ...more }));

async function valueOf(wanted: string): Promise<string | undefined> {
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: wanted, WithDecryption: true }));
  return Parameter?.Value;
}

beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
beforeEach(() => {
  count += 1;
  name = `/ci/key-${String(count)}`;
  ssm = writer();
});

describe('PutParameter', () => {
  test('stores a version, and overwrites only when told to', async () => {
    expect(await put()).toMatchObject({ Version: 1, Tier: 'Standard' });
    expect(await failureOf(put())).toEqual({
      name: 'ParameterAlreadyExists',
      message:
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      status: 400,
    });
    expect(await put({ Value: 'newer', Overwrite: true })).toMatchObject({ Version: 2 });
    expect(await valueOf(name)).toBe('newer');
    expect(await valueOf(`${name}:1`)).toBe('text');
  });

  test('keeps 4 KB in the standard tier and 8 KB in the advanced one, which is permanent', async () => {
    const long = 'x'.repeat(4097);
    await expect(put({ Value: long.slice(1) })).resolves.toMatchObject({ Tier: 'Standard' });
    expect(await failureOf(put({ Value: long, Overwrite: true }))).toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('4096 characters'),
    });
    await expect(put({ Value: long, Overwrite: true, Tier: 'Intelligent-Tiering' })).resolves.toMatchObject({
      Tier: 'Advanced',
    });
    expect(await failureOf(put({ Tier: 'Standard', Overwrite: true }))).toMatchObject({
      message: expect.stringContaining("can't downgrade"),
    });
    expect(await failureOf(put({ Value: 'x'.repeat(8193), Overwrite: true }))).toMatchObject({
      name: 'ValidationException',
    });
  });

  test('needs kms:Encrypt for a standard and kms:GenerateDataKey for an advanced secret under a customer key', async () => {
    const KeyId = aws.kms.createKey({ account: ACCOUNT, region: REGION, alias: 'alias/ci' });
    const denied = await failureOf(put({ KeyId }));
    expect(denied).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('kms:Encrypt'),
    });
    await expect(put({ KeyId: 'alias/ci' }, writer(allow('kms:Encrypt', KeyId)))).resolves.toBeDefined();
    const advanced = { KeyId, Tier: 'Advanced', Overwrite: true } as const;
    expect(await failureOf(put(advanced, writer(allow('kms:Encrypt', KeyId))))).toMatchObject({
      message: expect.stringContaining('kms:GenerateDataKey'),
    });
    await expect(put(advanced, writer(allow('kms:GenerateDataKey', KeyId)))).resolves.toMatchObject({
      Version: 2,
    });
  });

  test('takes tags for a new parameter only, with a permission of their own', async () => {
    const Tags = [{ Key: 'team', Value: 'ci' }];
    expect(await failureOf(put({ Tags }))).toMatchObject({
      message: expect.stringContaining('ssm:AddTagsToResource'),
    });
    const tagger = writer(allow('ssm:AddTagsToResource', '*'));
    await put({ Tags }, tagger);
    expect(await failureOf(put({ Tags, Overwrite: true }, tagger))).toMatchObject({
      message: expect.stringContaining("tags and overwrite can't be used together"),
    });
    const more = {
      ResourceType: 'Parameter' as const,
      ResourceId: name,
      Tags: [{ Key: 'env', Value: 'prod' }],
    };
    await tagger.send(new AddTagsToResourceCommand(more));
    const { tags } = aws.parameters.find({ account: ACCOUNT, region: REGION }, name) ?? {};
    expect(tags).toEqual({ team: 'ci', env: 'prod' });
    expect(
      await failureOf(tagger.send(new AddTagsToResourceCommand({ ...more, ResourceId: '/ci/none' }))),
    ).toMatchObject({
      name: 'InvalidResourceId',
    });
  });

  test('is described with the KMS key and the description of its latest version', async () => {
    const ParameterFilters = [{ Key: 'Name', Option: 'Equals', Values: [name] }];
    const describe = new DescribeParametersCommand({ ParameterFilters });
    await put({ Description: 'first' });
    expect(await failureOf(ssm.send(describe))).toMatchObject({ name: 'AccessDeniedException' });
    const reader = writer(allow('ssm:DescribeParameters', '*'));
    expect((await reader.send(describe)).Parameters).toMatchObject([
      { Name: name, KeyId: 'alias/aws/ssm', Description: 'first', Version: 1, Type: 'SecureString' },
    ]);
  });

  test('does not change the type of a parameter', async () => {
    await put({ Type: 'String' });
    expect(await failureOf(put({ Overwrite: true }))).toMatchObject({
      name: 'HierarchyTypeMismatchException',
    });
  });

  test('refuses a missing KMS key', async () => {
    expect(await failureOf(put({ KeyId: 'alias/none' }, writer(allow('kms:*', '*'))))).toMatchObject({
      name: 'InvalidKeyId',
      message: expect.stringContaining('NotFoundException'),
    });
  });

  test('drops the oldest of 100 versions, unless it carries a label', async () => {
    const place = { account: ACCOUNT, region: REGION, name };
    for (let version = 1; version <= 100; version += 1)
      aws.parameters.put({ ...place, value: String(version) });
    expect(await put({ Overwrite: true })).toMatchObject({ Version: 101 });
    expect(await failureOf(ssm.send(new GetParameterCommand({ Name: `${name}:1` })))).toMatchObject({
      name: 'ParameterVersionNotFound',
    });
    await ssm.send(new LabelParameterVersionCommand({ Name: name, ParameterVersion: 2, Labels: ['kept'] }));
    expect(await failureOf(put({ Overwrite: true }))).toMatchObject({
      name: 'ParameterMaxVersionLimitExceeded',
    });
  });

  test('refuses what AWS refuses', async () => {
    expect(await failureOf(put({ Name: '/prod/key' }))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('ssm:PutParameter'),
    });
    expect(await failureOf(put({ Type: 'Secret' as 'String' }))).toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('enum value set'),
    });
    expect(await failureOf(put({ Name: `/ci${'/x'.repeat(15)}` }))).toMatchObject({
      name: 'HierarchyLevelLimitExceededException',
    });
    expect(await failureOf(put({ Name: '/ci/my key' }))).toMatchObject({ name: 'ValidationException' });
    const tooLong = `/ci/${'x'.repeat(1011 - `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/`.length + 1)}`;
    expect(await failureOf(put({ Name: tooLong }))).toMatchObject({ name: 'ValidationException' });
    await expect(put({ Name: tooLong.slice(0, -1) })).resolves.toMatchObject({ Version: 1 });
  });
});

test('a label belongs to one version, and moves', async () => {
  await put();
  await put({ Value: 'newer', Overwrite: true });
  const label = (version: number, labels: string[]): Promise<LabelParameterVersionCommandOutput> =>
    ssm.send(new LabelParameterVersionCommand({ Name: name, ParameterVersion: version, Labels: labels }));
  await label(1, ['prod']);
  expect(await valueOf(`${name}:prod`)).toBe('text');
  expect(await label(2, ['prod', '1st', 'aws-x'])).toMatchObject({ InvalidLabels: ['1st', 'aws-x'] });
  expect(await valueOf(`${name}:prod`)).toBe('newer');
  expect(await failureOf(label(3, ['x']))).toMatchObject({ name: 'ParameterVersionNotFound' });
  expect(
    await failureOf(
      label(
        2,
        Array.from({ length: 10 }, (_, i) => `l${String(i)}`),
      ),
    ),
  ).toMatchObject({ name: 'ParameterVersionLabelLimitExceeded' });
});

test('the history lists every version, with decrypted values only if requested', async () => {
  await put();
  await put({ Value: 'newer', Overwrite: true });
  const { Parameters: sealed = [] } = await ssm.send(new GetParameterHistoryCommand({ Name: name }));
  expect(sealed.map(({ Version }) => Version)).toEqual([1, 2]);
  expect(sealed.every(({ Value }) => Value?.startsWith('AQICAH'))).toBe(true);
  const { Parameters: open = [] } = await ssm.send(
    new GetParameterHistoryCommand({ Name: name, WithDecryption: true }),
  );
  expect(open.map(({ Value }) => Value)).toEqual(['text', 'newer']);
});

test('a deleted parameter is gone, and the name is free again', async () => {
  await put();
  await ssm.send(new DeleteParameterCommand({ Name: name }));
  expect(await failureOf(valueOf(name))).toMatchObject({ name: 'ParameterNotFound' });
  expect(await failureOf(ssm.send(new DeleteParameterCommand({ Name: name })))).toMatchObject({
    name: 'ParameterNotFound',
  });
  expect(await put()).toMatchObject({ Version: 1 });
});

test('no written value is in the log', async () => {
  await put({ Value: 'a value nobody may log' });
  expect(aws.calls.at(-1)).toMatchObject({
    operation: 'ssm:PutParameter',
    principal: `arn:aws:iam::${ACCOUNT}:user/rotation`,
    status: 200,
    parameters: { Name: name },
  });
  expect(JSON.stringify(aws.calls)).not.toContain('a value nobody may log');
});

describe('UnlabelParameterVersion', () => {
  const unlabel = (version: number, labels: string[]): Promise<UnlabelParameterVersionCommandOutput> =>
    ssm.send(new UnlabelParameterVersionCommand({ Name: name, ParameterVersion: version, Labels: labels }));

  test('removes the labels that the version has, and names the others', async () => {
    await put();
    await put({ Overwrite: true });
    await ssm.send(new LabelParameterVersionCommand({ Name: name, ParameterVersion: 1, Labels: ['old'] }));
    expect(await unlabel(2, ['old'])).toMatchObject({ RemovedLabels: [], InvalidLabels: ['old'] });
    expect(await unlabel(1, ['old', 'none'])).toMatchObject({
      RemovedLabels: ['old'],
      InvalidLabels: ['none'],
    });
    expect((await failureOf(valueOf(`${name}:old`))).name).toBe('ParameterVersionNotFound');
  });

  test('does not know other versions, and needs a permission of its own', async () => {
    await put();
    expect((await failureOf(unlabel(7, ['old']))).name).toBe('ParameterVersionNotFound');
    const policies = [allow(['ssm:PutParameter', 'ssm:LabelParameterVersion'], '*')];
    const userArn = `arn:aws:iam::${ACCOUNT}:user/labels`;
    ssm = ssmClient(aws, aws.iam.createAccessKey({ userArn, policies }));
    expect((await failureOf(unlabel(1, ['old']))).name).toBe('AccessDeniedException');
  });
});

describe('GetParameterHistory', () => {
  test('has at most 50 versions on a page, the oldest first, with their labels', async () => {
    for (let version = 1; version <= 52; version++) await put({ Overwrite: true });
    await ssm.send(new LabelParameterVersionCommand({ Name: name, ParameterVersion: 51, Labels: ['here'] }));
    const page = (NextToken?: string): Promise<GetParameterHistoryCommandOutput> =>
      ssm.send(new GetParameterHistoryCommand({ Name: name, ...(NextToken && { NextToken }) }));
    const first = await page();
    expect(first.Parameters?.map(({ Version }) => Version)).toEqual([...Array(50).keys()].map((n) => n + 1));
    const second = await page(first.NextToken);
    expect(second.Parameters).toMatchObject([{ Version: 51, Labels: ['here'] }, { Version: 52 }]);
    expect(second.NextToken).toBeUndefined();
  });
});
