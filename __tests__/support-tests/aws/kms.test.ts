import { GetParameterCommand, type GetParameterCommandOutput, type SSMClient } from '@aws-sdk/client-ssm';
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

describe('a customer key', () => {
  const decrypt = (keyArn: string, condition = {}): PolicyDocument => ({
    Statement: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: keyArn, Condition: condition },
  });
  const secure = (): string => {
    const keyId = aws.kms.createKey({ account: ACCOUNT, region: REGION });
    world.put('/ci/key', 'text', { keyId });
    return keyId;
  };
  const allowAlso = (...policies: PolicyDocument[]): void => {
    aws.iam.createRole({
      arn: ROLE_ARN,
      trustPolicy: trustGitHub(),
      policies: [allow('ssm:GetParameter', '*'), ...policies],
    });
  };

  test("needs kms:Decrypt in addition to the parameter's permission; the AWS-managed key does not", async () => {
    const key = secure();
    expect(await failureOf(get('/ci/key'))).toEqual({
      name: 'AccessDeniedException',
      message: expect.stringMatching(
        /^User: \S+ is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no identity-based policy allows the kms:Decrypt action \(Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: \S+; Proxy: null\)$/,
      ),
      status: 400,
    });
    allowAlso(decrypt(key));
    expect(await get('/ci/key')).toMatchObject({ Parameter: { Value: 'text' } });
    world.put('/ci/managed', 'text');
    const session = allow('ssm:GetParameter', '*');
    expect(await get('/ci/managed', client(session))).toMatchObject({ Parameter: { Value: 'text' } });
    expect(await failureOf(get('/ci/key', client(session)))).toMatchObject({
      message: expect.stringContaining('no session policy allows the kms:Decrypt action'),
    });
  });

  test('is not checked if nothing is decrypted', async () => {
    secure();
    await expect(client().send(new GetParameterCommand({ Name: '/ci/key' }))).resolves.toBeDefined();
  });

  test('can be allowed only through Parameter Store, and for one parameter', async () => {
    const key = secure();
    const via = (service: string, path: string): object => ({
      StringEquals: {
        'kms:ViaService': `${service}.${REGION}.amazonaws.com`,
        'kms:EncryptionContext:PARAMETER_ARN': arnOf(path),
      },
    });
    allowAlso(decrypt('*', via('ssm', 'ci/key')));
    await expect(get('/ci/key')).resolves.toBeDefined();
    for (const condition of [via('secretsmanager', 'ci/key'), via('ssm', 'ci/other')]) {
      allowAlso(decrypt(key, condition));
      expect(await failureOf(get('/ci/key'))).toMatchObject({ name: 'AccessDeniedException' });
    }
  });

  test.each([
    [
      'is disabled',
      'Disabled',
      /is disabled\. \(Service: AWSKMS; Status Code: 400; Error Code: DisabledException;/,
    ],
    [
      'awaits its deletion',
      'PendingDeletion',
      /is pending deletion\. \(.*Error Code: KMSInvalidStateException;/,
    ],
    ['is gone', undefined, /^Key 'arn:aws:kms:\S+' does not exist \(.*Error Code: NotFoundException;/],
  ] as const)('that %s makes the parameter unreadable', async (_name, state, message) => {
    const key = secure();
    allowAlso(decrypt(key));
    if (state === undefined) aws.kms.deleteKey(key);
    else aws.kms.setState(key, state);
    const failure = await failureOf(get('/ci/key'));
    expect(failure).toMatchObject({ name: 'InvalidKeyId', status: 400 });
    expect(failure.message).toMatch(message);
  });

  test('of another account needs its key policy to name ours', async () => {
    const place = { account: OTHER_ACCOUNT, region: REGION };
    allowAlso(decrypt('*'));
    const read = async (sharedWith: string[]): Promise<object> => {
      const keyId = aws.kms.createKey({ ...place, sharedWith });
      aws.parameters.put({ ...place, name: '/ci/theirs', value: 'text', keyId, sharedWith: [ACCOUNT] });
      return get(arnOf('ci/theirs', OTHER_ACCOUNT));
    };
    expect(await failureOf(read([]))).toMatchObject({
      message: expect.stringContaining('no resource-based policy allows the kms:Decrypt'),
    });
    await expect(read([ACCOUNT])).resolves.toBeDefined();
  });

  test('is refused in the old wording if that is configured', async () => {
    const old = await startReadyWorld({ kmsWording: 'old' });
    try {
      old.put('/ci/key', 'text', { keyId: old.aws.kms.createKey({ account: ACCOUNT, region: REGION }) });
      const ssm = ssmClient(old.aws, old.aws.iam.createSession({ roleArn: ROLE_ARN }));
      expect(await failureOf(get('/ci/key', ssm))).toMatchObject({
        name: 'AccessDeniedException',
        message: expect.stringMatching(
          /^The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access\. \(Service: AWSKMS;/,
        ),
      });
    } finally {
      await old.stop();
    }
  });
});

test("the partition and KMS's host name follow the region", async () => {
  const region = 'cn-north-1';
  const arn = `arn:aws-cn:iam::${ACCOUNT}:role/ci`;
  const keyId = aws.kms.createKey({ account: ACCOUNT, region });
  const put = aws.parameters.put({ account: ACCOUNT, region, name: '/ci/key', value: 'text', keyId });
  const viaSsm: PolicyDocument = {
    Statement: {
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: keyId,
      Condition: { StringEquals: { 'kms:ViaService': 'ssm.cn-north-1.amazonaws.com.cn' } },
    },
  };
  aws.iam.createRole({
    arn,
    trustPolicy: trustGitHub(),
    policies: [allow('ssm:GetParameter', put.arn), viaSsm],
  });
  const ssm = ssmClient(aws, aws.iam.createSession({ roleArn: arn }), { region });
  expect(await get(put.arn, ssm)).toMatchObject({
    Parameter: { ARN: `arn:aws-cn:ssm:cn-north-1:${ACCOUNT}:parameter/ci/key`, Value: 'text' },
  });
});
