import {
  GetParametersByPathCommand,
  type GetParametersByPathCommandInput,
  type GetParametersByPathCommandOutput,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { failureOf, ssmClient } from './clients.ts';

const arnOf = (path: string): string => `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/${path}`;

let world: ReadyWorld;

beforeAll(async () => {
  world = await startReadyWorld();
  for (const name of ['/ci/a', '/ci/b', '/ci/deep/c', '/ci/deep/er/d', '/cider/e', '/ci'])
    world.put(name, name);
  for (let number = 10; number < 33; number += 1) world.put(`/many/p${String(number)}`, 'text');
  world.put('/ci/a', 'newer');
  world.put('/ci/a', 'elsewhere', { region: 'us-east-1' });
});
afterAll(() => world.stop());

function reader(...policies: PolicyDocument[]): SSMClient {
  const userArn = `arn:aws:iam::${ACCOUNT}:user/reader`;
  const usual = [allow('ssm:GetParametersByPath', arnOf('*'))];
  const key = world.aws.iam.createAccessKey({ userArn, policies: policies.length > 0 ? policies : usual });
  return ssmClient(world.aws, key);
}

const list = (
  input: Partial<GetParametersByPathCommandInput> = {},
  ssm = reader(),
): Promise<GetParametersByPathCommandOutput> =>
  ssm.send(new GetParametersByPathCommand({ Path: '/ci', WithDecryption: true, ...input }));
const namesIn = ({ Parameters = [] }: GetParametersByPathCommandOutput): (string | undefined)[] =>
  Parameters.map(({ Name }) => Name);

describe('GetParametersByPath', () => {
  test('answers the latest versions of one level, or of all levels below', async () => {
    const { Parameters } = await list();
    expect(Parameters).toMatchObject([
      { Name: '/ci/a', Value: 'newer', Version: 2, ARN: arnOf('ci/a'), Type: 'SecureString' },
      { Name: '/ci/b', Value: '/ci/b', Version: 1 },
    ]);
    expect(namesIn(await list({ Recursive: true }))).toEqual([
      '/ci/a',
      '/ci/b',
      '/ci/deep/c',
      '/ci/deep/er/d',
    ]);
    expect(namesIn(await list({ Path: '/ci/deep/' }))).toEqual(['/ci/deep/c']);
  });

  test('returns nothing for a missing path, or one that is a parameter', async () => {
    expect(namesIn(await list({ Path: '/nowhere' }))).toEqual([]);
    expect(namesIn(await list({ Path: '/ci/a' }))).toEqual([]);
  });

  test('returns ten at a time, or fewer if requested', async () => {
    const first = await list({ Path: '/many' });
    const second = await list({ Path: '/many', NextToken: first.NextToken });
    const third = await list({ Path: '/many', NextToken: second.NextToken });
    expect([first, second, third].map((page) => namesIn(page).length)).toEqual([10, 10, 3]);
    expect(new Set([first, second, third].flatMap(namesIn)).size).toBe(23);
    expect(third.NextToken).toBeUndefined();
    expect(namesIn(await list({ Path: '/many', MaxResults: 2 })).length).toBe(2);
    expect(await failureOf(list({ MaxResults: 11 }))).toMatchObject({ name: 'ValidationException' });
    expect(await failureOf(list({ NextToken: 'no token' }))).toMatchObject({ name: 'InvalidNextToken' });
  });

  test('returns encrypted values unless decryption is requested', async () => {
    const { Parameters = [] } = await list({ WithDecryption: false });
    expect(Parameters.every(({ Value }) => Value?.startsWith('AQICAH'))).toBe(true);
  });

  test('needs permission for only the path, and for the key of each parameter', async () => {
    expect(await failureOf(list({}, reader(allow('ssm:GetParameter*', arnOf('ci/*')))))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`ssm:GetParametersByPath on resource: ${arnOf('ci')}`),
    });
    const only = reader(allow('ssm:GetParametersByPath', arnOf('ci')));
    expect(namesIn(await list({ Recursive: true }, only)).length).toBe(4);
    world.aws.kms.createKey({ account: ACCOUNT, region: REGION, alias: 'alias/ci' });
    world.put('/keyed/a', 'text', { keyId: 'alias/ci' });
    expect(await failureOf(list({ Path: '/keyed' }))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('kms:Decrypt'),
    });
  });

  test.each(['ci', '/ci//a', '/c i', '/aws/service', ''])('refuses the path %j', async (Path) => {
    expect(await failureOf(list({ Path }))).toMatchObject({ name: 'ValidationException' });
  });
});
