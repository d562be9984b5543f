/** `session-policy: auto` for keys in KMS: the role may use every key, and the session of a job signs with its own ones only. */
import {
  DescribeKeyCommand,
  DisableKeyCommand,
  GetPublicKeyCommand,
  KMSClient,
  SignCommand,
} from '@aws-sdk/client-kms';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import {
  ACCOUNT,
  allow,
  REGION,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../../support/aws/world.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { openStage, told, type Stage } from '../stage.ts';

const place = { account: ACCOUNT, region: REGION };
const role = `arn:aws:iam::${ACCOUNT}:role/signing`;

describe('the session of a job with keys in KMS', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let own: string;
  let other: string;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    const { signingKeys, iam } = world.aws;
    iam.createRole({ arn: role, trustPolicy: trustGitHub(), policies: [allow(['kms:*', 'ssm:*'], '*')] });
    own = signingKeys.create({ ...place, alias: 'alias/own' });
    other = signingKeys.create({ ...place, alias: 'alias/other' });
    world.put('/ci/key', stage.key.privateKey);
  });
  beforeEach(() => {
    world.aws.forgetCalls();
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });

  /** What a session may do that is opened as the job opened its one. */
  async function openedBy(keys: string, more: Record<string, string> = {}) {
    const { aws } = world;
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({
      with: { keys, 'aws-region': REGION, 'role-to-assume': role, 'known-hosts': '', ...more },
    });
    expect(told(main).text).toBe('');
    await job.finish();
    const assumed = aws.calls.filter(({ operation }) => operation === 'sts:AssumeRoleWithWebIdentity');
    const policies = assumed.map(({ parameters }) => (parameters as { Policy?: string }).Policy);
    const Policy = policies.find((text) => text === undefined || text.includes('kms:Sign'));
    const endpoint = { region: REGION, endpoint: aws.endpoint };
    const token = await aws.oidc.issueToken(
      { repository: 'acme/app', ref: 'refs/heads/main' },
      'sts.amazonaws.com',
    );
    const { Credentials } = await new STSClient({ ...endpoint, credentials: anonymous }).send(
      new AssumeRoleWithWebIdentityCommand({
        ...{ RoleArn: role, RoleSessionName: 'job', WebIdentityToken: token },
        ...(Policy !== undefined && { Policy }),
      }),
    );
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
    const credentials = {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
    };
    const kms = new KMSClient({ ...endpoint, credentials });
    const ssm = new SSMClient({ ...endpoint, credentials });
    const refusal = async (work: Promise<unknown>): Promise<string> =>
      await work.then(
        () => '',
        (error: unknown) => String(error),
      );
    const Message = Buffer.from('text');
    return {
      count: assumed.length,
      sign: (KeyId: string) =>
        refusal(kms.send(new SignCommand({ KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' }))),
      read: (KeyId: string) => refusal(kms.send(new GetPublicKeyCommand({ KeyId }))),
      others: () =>
        Promise.all([
          refusal(kms.send(new DescribeKeyCommand({ KeyId: own }))),
          refusal(kms.send(new DisableKeyCommand({ KeyId: own }))),
          refusal(ssm.send(new GetParameterCommand({ Name: '/ci/key' }))),
        ]),
    };
  }
  const anonymous = { accessKeyId: 'none', secretAccessKey: 'none' };
  const refused = /AccessDenied.*no session policy allows/;

  it.each([
    ['by its ARN', (): [line: string, key: string] => [own, own]],
    ['by its alias', (): [line: string, key: string] => ['kms:alias/own', 'alias/own']],
  ])('signs %s, and with no other key', async (_, named) => {
    const [line, key] = named();
    const session = await openedBy(line);
    expect([session.count, await session.sign(key), await session.read(key)]).toEqual([1, '', '']);
    for (const call of [session.sign, session.read])
      for (const wrong of [other, 'alias/other']) expect(await call(wrong)).toMatch(refused);
    for (const said of await session.others()) expect(said).toMatch(/AccessDenied|is not authorized/);
  });

  it('of a line with an authority signs with both, and stored keys of the job are read in another one', async () => {
    const authority = 'new:ed25519 ca=kms:alias/own principals=web';
    const session = await openedBy(`${authority} web.example.com\n/ci/key github.com/acme/lib`, {
      'known-hosts':
        'web.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0aWHSKQ2JBZ8pKhRn3RgEUKu3cJ9U5Bu0wqR0KOgY3',
    });
    expect([session.count, await session.sign('alias/own')]).toEqual([2, '']);
    expect(await session.sign('alias/other')).toMatch(refused);
    for (const said of await session.others()) expect(said).toMatch(/AccessDenied|is not authorized/);
  });

  it('with session-policy: none may do what the role may do', async () => {
    const session = await openedBy('kms:alias/own', { 'session-policy': 'none' });
    expect([await session.sign('alias/own'), await session.sign('alias/other')]).toEqual(['', '']);
  });
});
