import {
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersCommand,
  type GetParameterCommandOutput,
  type GetParametersCommandOutput,
  type SSMClient,
} from '@aws-sdk/client-ssm';
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
import { ciClient, failureOf, ssmClient } from './clients.ts';

const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/ci/run-1`;
const OTHER_ACCOUNT = '444455556666';
const arnOf = (path: string, account = ACCOUNT): string =>
  `arn:aws:ssm:${REGION}:${account}:parameter/${path}`;

let world: ReadyWorld;
let aws: LocalAws;

beforeEach(async () => {
  world = await startReadyWorld();
  ({ aws } = world);
});
afterEach(() => world.stop());

const client = (...sessionPolicies: PolicyDocument[]): SSMClient => ciClient(aws, sessionPolicies);
const get = (name: string, ssm = client()): Promise<GetParameterCommandOutput> =>
  ssm.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
const getAll = (names: string[], ssm = client()): Promise<GetParametersCommandOutput> =>
  ssm.send(new GetParametersCommand({ Names: names, WithDecryption: true }));

describe('a parameter', () => {
  test('is answered with its name, version, ARN, type and date', async () => {
    const before = Date.now();
    world.put('/ci/key', 'first');
    world.put('/ci/key', 'second');
    const { Parameter } = await get('/ci/key');
    expect(Parameter).toEqual({
      ARN: arnOf('ci/key'),
      DataType: 'text',
      LastModifiedDate: expect.any(Date),
      Name: '/ci/key',
      Type: 'SecureString',
      Value: 'second',
      Version: 2,
    });
    const { LastModifiedDate } = Parameter as { LastModifiedDate: Date };
    expect(LastModifiedDate.getTime()).toBeGreaterThanOrEqual(before);
    expect(LastModifiedDate.getTime()).toBeLessThanOrEqual(Date.now());
  });

  test('is selected by version or label, and the answer says how', async () => {
    world.put('/ci/key', 'first', { labels: ['prod'] });
    world.put('/ci/key', 'second');
    expect(await get('/ci/key:1')).toMatchObject({
      Parameter: { Name: '/ci/key', Value: 'first', Selector: ':1', Version: 1 },
    });
    expect(await get('/ci/key:prod')).toMatchObject({
      Parameter: { Value: 'first', Selector: ':prod', Version: 1 },
    });
    expect(await get(`${arnOf('ci/key')}:2`)).toMatchObject({
      Parameter: { Name: '/ci/key', Value: 'second', Selector: ':2', ARN: arnOf('ci/key') },
    });
  });

  test('that is missing, or has no such version or label, has errors of its own', async () => {
    world.put('/ci/key', 'first');
    expect(await failureOf(get('/ci/kez'))).toMatchObject({ name: 'ParameterNotFound', status: 400 });
    expect(await failureOf(get('/ci/key:2'))).toEqual({
      name: 'ParameterVersionNotFound',
      message: 'Systems Manager could not find version 2 of /ci/key. Verify the version and try again.',
      status: 400,
    });
    expect(await failureOf(get('/ci/key:prod'))).toMatchObject({
      name: 'ParameterVersionNotFound',
      message: expect.stringContaining('label prod of /ci/key'),
    });
  });

  test('is encrypted, and without decryption the stored bytes are returned', async () => {
    const read = async (name: string): Promise<string> => {
      const { Parameter } = await client().send(new GetParameterCommand({ Name: name }));
      return Parameter?.Value ?? '';
    };
    world.put('/ci/key', 'text of the key');
    world.put('/ci/long', 'x'.repeat(5000));
    world.put('/ci/plain', 'plain text', { type: 'String' });
    expect(await read('/ci/key')).toMatch(/^AQICAH[\w+/]+=*$/);
    expect(await read('/ci/long')).toMatch(/^AYAD[\w+/]+=*$/);
    expect(Buffer.from(await read('/ci/key'), 'base64').includes('text of the key')).toBe(false);
    expect(await read('/ci/plain')).toBe('plain text');
    expect(await get('/ci/long')).toMatchObject({ Parameter: { Value: 'x'.repeat(5000) } });
  });

  test.each([
    ['ci/key', 'Parameter name must be a fully qualified name.'],
    ['/ci/my key', expect.stringContaining("Parameter name: can't be prefixed with")],
    ['/ssm-key', expect.stringContaining('can\'t be prefixed with "ssm"')],
    ['/ci//key', expect.stringContaining('sub-paths divided by slash symbol')],
    ['/ci/key/', expect.stringContaining('sub-paths divided by slash symbol')],
    ['/ci/key:', expect.stringContaining('Invalid parameter selector')],
    ['/ci/key:1:2', expect.stringContaining('Invalid parameter selector')],
  ])('is not called %s', async (name, message) => {
    expect(await failureOf(get(name))).toEqual({ name: 'ValidationException', message, status: 400 });
  });
});

describe('GetParameters', () => {
  test('returns existing parameters in any order, and reports the others as requested', async () => {
    world.put('/ci/b', 'B');
    world.put('/ci/a', 'A', { labels: ['prod'] });
    const { Parameters = [], InvalidParameters } = await getAll([
      '/ci/b',
      '/ci/none',
      '/ci/a:prod',
      '/ci/a:9',
      '/ci/b:dev',
    ]);
    expect(Parameters.map(({ Name, Value, Selector }) => [Name, Value, Selector])).toEqual([
      ['/ci/a', 'A', ':prod'],
      ['/ci/b', 'B', undefined],
    ]);
    expect(InvalidParameters).toEqual(['/ci/none', '/ci/a:9', '/ci/b:dev']);
  });

  test('accepts 10 different names', async () => {
    const names = Array.from({ length: 11 }, (_, i) => `/ci/${String(i)}`);
    expect((await getAll(names.slice(1))).InvalidParameters).toHaveLength(10);
    expect(await failureOf(getAll(names))).toEqual({
      name: 'ValidationException',
      message: `1 validation error detected: Value '[${names.join(', ')}]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 10`,
      status: 400,
    });
    expect(await failureOf(getAll([]))).toMatchObject({ name: 'ValidationException' });
    expect(await failureOf(getAll(['/ci/a', '/ci/a']))).toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining('Duplicate'),
    });
  });

  test('fails as a whole for one denied name or one denied key', async () => {
    world.put('/ci/a', 'A');
    world.put('/prod/b', 'B');
    world.put('/ci/c', 'C', { keyId: aws.kms.createKey({ account: ACCOUNT, region: REGION }) });
    expect(await failureOf(getAll(['/ci/a', '/prod/b']))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`ssm:GetParameters on resource: ${arnOf('prod/b')} because`),
    });
    expect(await failureOf(getAll(['/ci/a', '/ci/c']))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('kms:Decrypt'),
    });
    expect((await getAll(['/ci/a'])).Parameters).toHaveLength(1);
  });
});

describe('permission', () => {
  test('is asked before existence, action by action', async () => {
    expect(await failureOf(get('/prod/none'))).toEqual({
      name: 'AccessDeniedException',
      message: `User: ${SESSION} is not authorized to perform: ssm:GetParameter on resource: ${arnOf('prod/none')} because no identity-based policy allows the ssm:GetParameter action`,
      status: 400,
    });
    const history = new GetParameterHistoryCommand({ Name: '/ci/none' });
    expect(await failureOf(client().send(history))).toMatchObject({
      message: expect.stringContaining('ssm:GetParameterHistory'),
    });
  });

  test('is narrowed by a session policy, which AWS then names', async () => {
    world.put('/ci/a', 'A');
    world.put('/ci/b', 'B');
    const narrowed = client(allow('ssm:GetParameter', arnOf('ci/a')));
    await expect(get('/ci/a', narrowed)).resolves.toBeDefined();
    expect((await failureOf(get('/ci/b', narrowed))).message).toMatch(
      /because no session policy allows the ssm:GetParameter action$/,
    );
  });

  test('is denied by an explicit deny', async () => {
    const policies: PolicyDocument[] = [
      allow('ssm:*', '*'),
      { Statement: { Effect: 'Deny', Action: 'ssm:Get*', Resource: arnOf('ci/*') } },
    ];
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
    expect((await failureOf(get('/ci/a'))).message).toMatch(
      / with an explicit deny in an identity-based policy$/,
    );
  });

  test('in one Region does not exist in another', async () => {
    const session = aws.iam.createSession({ roleArn: ROLE_ARN });
    expect(await failureOf(get('/ci/a', ssmClient(aws, session, { region: 'us-east-1' })))).toMatchObject({
      message: expect.stringContaining('arn:aws:ssm:us-east-1:'),
    });
  });
});

describe('a parameter of another account', () => {
  const theirs = arnOf('ci/theirs', OTHER_ACCOUNT);
  const put = (sharedWith: string[]): unknown =>
    aws.parameters.put({
      account: OTHER_ACCOUNT,
      region: REGION,
      name: '/ci/theirs',
      value: 'shared',
      type: 'String',
      sharedWith,
    });
  const everywhere = (): void => {
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies: [allow('ssm:*', '*')] });
  };

  test('is read with its full ARN if it is shared and allowed', async () => {
    put([ACCOUNT]);
    expect(await failureOf(get(theirs))).toMatchObject({
      message: expect.stringContaining('no identity-based policy'),
    });
    everywhere();
    expect(await get(theirs)).toMatchObject({ Parameter: { Value: 'shared', ARN: theirs } });
    expect(await failureOf(get('/ci/theirs'))).toMatchObject({ name: 'ParameterNotFound' });
  });

  test('is denied if it is not shared, whether it exists or not', async () => {
    put([]);
    everywhere();
    for (const arn of [theirs, `${theirs}-2`]) {
      expect(await failureOf(get(arn))).toMatchObject({
        name: 'AccessDeniedException',
        message: expect.stringContaining(
          'because no resource-based policy allows the ssm:GetParameter action',
        ),
      });
    }
  });
});
