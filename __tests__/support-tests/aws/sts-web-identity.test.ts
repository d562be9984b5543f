import {
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  type Credentials as StsCredentials,
} from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { generateKeyPair, SignJWT } from 'jose';

import type { Job, LocalAws } from '../../support/aws/local-aws.ts';
import {
  ACCOUNT,
  PROVIDER_ARN,
  ROLE_ARN,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../../support/aws/world.ts';
import { failureOf, stsClient } from './clients.ts';

const OTHER_ACCOUNT = '444455556666';
const AUDIENCE = 'sts.amazonaws.com';
const NOT_AUTHORIZED = {
  name: 'AccessDenied',
  message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
  status: 403,
};

let now: Date;
let world: ReadyWorld;
let aws: LocalAws;

beforeEach(async () => {
  now = new Date();
  world = await startReadyWorld({ clock: () => now });
  ({ aws } = world);
});
afterEach(() => world.stop());

type WebIdentityInput = Partial<AssumeRoleWithWebIdentityCommandInput>;

async function assumeByOidc(more: WebIdentityInput = {}, job: Job = {}): Promise<StsCredentials> {
  const token = more.WebIdentityToken ?? (await aws.oidc.issueToken(job, AUDIENCE));
  const input = { RoleArn: ROLE_ARN, RoleSessionName: 'run-1', ...more, WebIdentityToken: token };
  const { Credentials } = await stsClient(aws).send(new AssumeRoleWithWebIdentityCommand(input));
  if (!Credentials) throw new Error('no credentials');
  return Credentials;
}

describe('AssumeRoleWithWebIdentity', () => {
  test("answers a session of the role, good for the signed-in API, with GitHub's subject", async () => {
    const token = await aws.oidc.issueToken({}, AUDIENCE);
    const answer = await stsClient(aws).send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: ROLE_ARN,
        RoleSessionName: 'run-1',
        WebIdentityToken: token,
        DurationSeconds: 900,
      }),
    );
    expect(answer).toMatchObject({
      Audience: AUDIENCE,
      Provider: PROVIDER_ARN,
      SubjectFromWebIdentityToken: 'repo:acme/app:ref:refs/heads/main',
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/ci/run-1` },
    });
    expect(answer).not.toHaveProperty('PackedPolicySize');
    const {
      AccessKeyId = '',
      SecretAccessKey = '',
      SessionToken = '',
      Expiration,
    } = answer.Credentials ?? {};
    expect(Expiration?.getTime()).toBe(Math.floor(now.getTime() / 1000) * 1000 + 900_000);
    const session = {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
    };
    expect(await stsClient(aws, session).send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/ci/run-1`,
      UserId: answer.AssumedRoleUser?.AssumedRoleId,
    });
  });

  test.each<[string, Job]>([
    ['another repository', { repository: 'acme/app-2' }],
    ['another branch', { ref: 'refs/heads/topic' }],
    ['an environment', { environment: 'production' }],
    ['a pull request', { event: 'pull_request' }],
    ['an immutable subject', { immutableSubject: true }],
  ])('does not trust %s', async (_name, job) => {
    expect(await failureOf(assumeByOidc({}, job))).toEqual(NOT_AUTHORIZED);
  });

  test.each<[string, Job]>([
    ['repo:acme/app:environment:production', { environment: 'production' }],
    ['repo:acme/app:pull_request', { event: 'pull_request' }],
    ['repo:acme@1234/app@5678:ref:refs/heads/main', { immutableSubject: true }],
    ['repo:acme/lib:*', { repository: 'acme/lib' }],
  ])('trusts %s if the policy does', async (sub, job) => {
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(sub) });
    await expect(assumeByOidc({}, job)).resolves.toHaveProperty('AccessKeyId');
    expect(await failureOf(assumeByOidc())).toEqual(NOT_AUTHORIZED);
  });

  test('lets a policy ask for other claims', async () => {
    const claim = { 'token.actions.githubusercontent.com:repository_owner_id': '1234' };
    const federated = {
      Effect: 'Allow',
      Principal: { Federated: PROVIDER_ARN },
      Action: 'sts:AssumeRoleWithWebIdentity',
    } as const;
    aws.iam.createRole({
      arn: ROLE_ARN,
      trustPolicy: { Statement: { ...federated, Condition: { StringEquals: claim } } },
    });
    await expect(assumeByOidc()).resolves.toHaveProperty('AccessKeyId');
    expect(await failureOf(assumeByOidc({}, { claims: { repository_owner_id: '666' } }))).toEqual(
      NOT_AUTHORIZED,
    );
  });

  test('does not trust the token of another registered provider', async () => {
    const issuer = 'https://ghes.example.com/_services/token';
    aws.iam.createOidcProvider({ account: ACCOUNT, url: issuer });
    const federated = { Effect: 'Allow', Action: 'sts:AssumeRoleWithWebIdentity' } as const;
    const role = (provider: string): unknown =>
      aws.iam.createRole({
        arn: ROLE_ARN,
        trustPolicy: { Statement: { ...federated, Principal: { Federated: provider } } },
      });
    role(PROVIDER_ARN);
    expect(await failureOf(assumeByOidc({}, { issuer }))).toEqual(NOT_AUTHORIZED);
    role(`arn:aws:iam::${ACCOUNT}:oidc-provider/ghes.example.com/_services/token`);
    await expect(assumeByOidc({}, { issuer })).resolves.toHaveProperty('AccessKeyId');
  });

  test('has the same error for a missing role', async () => {
    expect(await failureOf(assumeByOidc({ RoleArn: `${ROLE_ARN}-2` }))).toEqual(NOT_AUTHORIZED);
  });

  test("does not know an issuer that the role's account has not registered", async () => {
    const message = 'No OpenIDConnect provider found in your account for https://';
    expect(await failureOf(assumeByOidc({}, { issuer: 'https://ghes.example.com/_services/token' }))).toEqual(
      {
        name: 'InvalidIdentityTokenException',
        message: `${message}ghes.example.com/_services/token`,
        status: 400,
      },
    );
    const elsewhere = ROLE_ARN.replace(ACCOUNT, OTHER_ACCOUNT);
    expect(await failureOf(assumeByOidc({ RoleArn: elsewhere }))).toMatchObject({
      message: `${message}token.actions.githubusercontent.com`,
    });
  });

  test('refuses a token for another audience', async () => {
    const WebIdentityToken = await aws.oidc.issueToken();
    expect(await failureOf(assumeByOidc({ WebIdentityToken }))).toEqual({
      name: 'InvalidIdentityTokenException',
      message: 'Incorrect token audience',
      status: 400,
    });
  });

  test('accepts a token until it expires', async () => {
    const WebIdentityToken = await aws.oidc.issueToken({}, AUDIENCE);
    now = new Date(now.getTime() + 299_000);
    await assumeByOidc({ WebIdentityToken });
    now = new Date(now.getTime() + 1000);
    const failure = await failureOf(assumeByOidc({ WebIdentityToken }));
    expect(failure).toMatchObject({ name: 'ExpiredTokenException', status: 400 });
    expect(failure.message).toMatch(
      /^Token expired: current date\/time \d+ must be before the expiration date\/time \d+$/,
    );
  });

  test('refuses a token that is not valid yet', async () => {
    const nbf = Math.floor(now.getTime() / 1000) + 60;
    expect(await failureOf(assumeByOidc({}, { claims: { nbf } }))).toMatchObject({
      name: 'InvalidIdentityTokenException',
    });
  });

  test("refuses a forged token, even one that carries the issuer's key id", async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const [header = '', payload = ''] = (await aws.oidc.issueToken({}, AUDIENCE)).split('.');
    const decode = (part: string): Record<string, string> =>
      JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, string>;
    const forge = (kid: string): Promise<string> =>
      new SignJWT(decode(payload)).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);
    const known = await failureOf(
      assumeByOidc({ WebIdentityToken: await forge(decode(header)['kid'] ?? '') }),
    );
    expect(known).toMatchObject({
      name: 'InvalidIdentityTokenException',
      message: 'The web identity token that was passed could not be validated by AWS.',
    });
    const unknown = await failureOf(assumeByOidc({ WebIdentityToken: await forge('other') }));
    expect(unknown.message).toMatch(
      /^Couldn't retrieve verification key from your identity provider, {2}please/,
    );
  });

  test("cannot verify a token while the issuer's keys cannot be fetched", async () => {
    aws.iam.createOidcProvider({
      account: ACCOUNT,
      fetchKeys: () => Promise.reject(new Error('unreachable')),
    });
    expect((await failureOf(assumeByOidc())).message).toMatch(/^Couldn't retrieve verification key/);
  });

  test('refuses text that is not a token', async () => {
    expect(await failureOf(assumeByOidc({ WebIdentityToken: 'gho_accesstoken' }))).toMatchObject({
      name: 'InvalidIdentityTokenException',
      message: expect.stringContaining('not a valid JWT'),
    });
  });

  test("works in China with China's audience", async () => {
    const arn = `arn:aws-cn:iam::${ACCOUNT}:role/ci`;
    const provider = aws.iam.createOidcProvider({
      account: ACCOUNT,
      partition: 'aws-cn',
      url: 'https://ghes.example.cn',
    });
    aws.iam.createRole({
      arn,
      trustPolicy: {
        Statement: {
          Effect: 'Allow',
          Principal: { Federated: provider },
          Action: 'sts:*',
          Condition: { StringEquals: { 'ghes.example.cn:aud': 'sts.amazonaws.com.cn' } },
        },
      },
    });
    const WebIdentityToken = await aws.oidc.issueToken(
      { issuer: 'https://ghes.example.cn' },
      'sts.amazonaws.com.cn',
    );
    await expect(assumeByOidc({ RoleArn: arn, WebIdentityToken })).resolves.toHaveProperty('AccessKeyId');
  });
});
