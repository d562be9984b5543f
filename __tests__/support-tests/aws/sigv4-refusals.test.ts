import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startLocalAws, type Credentials, type LocalAws } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow } from '../../support/aws/world.ts';
import { failureOf, ssmClient, stsClient } from './clients.ts';

const NO_MATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access ' +
  'Key and signing method. Consult the service documentation for details.';

type Sign = (
  request: {
    method: string;
    protocol: string;
    hostname: string;
    path: string;
    headers: Record<string, string>;
    body: string;
  },
  options: { signingService: string },
) => Promise<{ headers: Record<string, string> }>;

/** Signs one body with the SDK's signer and sends another one, or signs for another service. */
async function sendSigned(
  aws: LocalAws,
  key: Credentials,
  { body, sent = body, service = 'ssm' }: { body: string; sent?: string; service?: string },
): Promise<unknown> {
  const signer = (await ssmClient(aws, key).config.signer()) as unknown as { sign: Sign };
  const headers = { host: new URL(aws.endpoint).host, 'x-amz-target': 'AmazonSSM.GetParameter' };
  const message = { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', path: '/', headers, body };
  const signed = await signer.sign(message, { signingService: service });
  return (await fetch(aws.endpoint, { method: 'POST', headers: signed.headers, body: sent })).json();
}

describe('a request is refused', () => {
  let aws: LocalAws;
  let key: Credentials;
  let minutesAhead = 0;
  const clock = (): Date => new Date(Date.now() + minutesAhead * 60_000);

  beforeAll(async () => {
    aws = await startLocalAws({ clock, regions: ['eu-west-1', 'cn-north-1'] });
    key = aws.iam.createAccessKey({
      userArn: `arn:aws:iam::${ACCOUNT}:user/eve`,
      policies: [allow('ssm:*', '*')],
    });
    aws.iam.createRole({
      arn: `arn:aws:iam::${ACCOUNT}:role/ci`,
      trustPolicy: { Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: '*' } },
    });
    aws.parameters.put({ account: ACCOUNT, region: 'eu-west-1', name: '/ci/key', value: 'text' });
  });
  afterAll(() => aws.stop());

  const read = new GetParameterCommand({ Name: '/ci/key' });
  const whoAmI = new GetCallerIdentityCommand({});

  test('not if it is signed correctly', async () => {
    await expect(ssmClient(aws, key).send(read)).resolves.toMatchObject({ Parameter: { Name: '/ci/key' } });
    await expect(stsClient(aws, key).send(whoAmI)).resolves.toMatchObject({ Account: ACCOUNT });
  });

  test('if the secret is wrong', async () => {
    const wrong = { ...key, secretAccessKey: `${key.secretAccessKey}x` };
    expect(await failureOf(ssmClient(aws, wrong).send(read))).toEqual({
      name: 'InvalidSignatureException',
      message: NO_MATCH,
      status: 400,
    });
    expect(await failureOf(stsClient(aws, wrong).send(whoAmI))).toEqual({
      name: 'SignatureDoesNotMatch',
      message: NO_MATCH,
      status: 403,
    });
  });

  test('if the body was changed', async () => {
    const body = '{"Name":"/ci/key"}';
    expect(await sendSigned(aws, key, { body })).toHaveProperty('Parameter');
    expect(await sendSigned(aws, key, { body, sent: body.replace('key', 'kez') })).toEqual({
      __type: 'InvalidSignatureException',
      message: NO_MATCH,
    });
  });

  test('if the access key is unknown', async () => {
    const unknown = { ...key, accessKeyId: 'AKIAUNKNOWNUNKNOWN77' };
    expect(await failureOf(ssmClient(aws, unknown).send(read))).toEqual({
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
      status: 400,
    });
    expect(await failureOf(stsClient(aws, unknown).send(whoAmI))).toEqual({
      name: 'InvalidClientTokenId',
      message: 'The security token included in the request is invalid',
      status: 403,
    });
  });

  test("when a session's token is missing or another session's", async () => {
    const session = aws.iam.createSession({ roleArn: `arn:aws:iam::${ACCOUNT}:role/ci` });
    const other = aws.iam.createSession({ roleArn: `arn:aws:iam::${ACCOUNT}:role/ci` });
    const { accessKeyId, secretAccessKey } = session;
    for (const wrong of [
      { accessKeyId, secretAccessKey },
      { ...session, sessionToken: other.sessionToken },
      { ...key, sessionToken: 'x' },
    ]) {
      expect(await failureOf(ssmClient(aws, wrong).send(read))).toMatchObject({
        name: 'UnrecognizedClientException',
      });
    }
    await expect(stsClient(aws, session).send(whoAmI)).resolves.toMatchObject({ Account: ACCOUNT });
  });

  test('when the scope names another region, partition or service', async () => {
    expect(await failureOf(ssmClient(aws, key, { region: 'eu-west-2' }).send(read))).toMatchObject({
      name: 'InvalidSignatureException',
      message: 'Credential should be scoped to a valid region.',
    });
    expect(await failureOf(ssmClient(aws, key, { region: 'cn-north-1' }).send(read))).toMatchObject({
      name: 'UnrecognizedClientException',
    });
    expect(await sendSigned(aws, key, { body: '{"Name":"/ci/key"}', service: 'secretsmanager' })).toEqual({
      __type: 'InvalidSignatureException',
      message: "Credential should be scoped to correct service: 'ssm'.",
    });
  });

  test('when the session has expired', async () => {
    const session = aws.iam.createSession({
      roleArn: `arn:aws:iam::${ACCOUNT}:role/ci`,
      durationSeconds: -1,
    });
    expect(await failureOf(ssmClient(aws, session).send(read))).toEqual({
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
      status: 400,
    });
    expect(await failureOf(stsClient(aws, session).send(whoAmI))).toMatchObject({
      name: 'ExpiredToken',
      status: 403,
    });
  });

  test.each([
    [6, /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/],
    [
      -6,
      /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$/,
    ],
  ])("when AWS's clock is %d minutes from the client's", async (minutes, message) => {
    minutesAhead = minutes;
    try {
      const failure = await failureOf(ssmClient(aws, key).send(read));
      expect(failure.name).toBe('InvalidSignatureException');
      expect(failure.message).toMatch(message);
    } finally {
      minutesAhead = 0;
    }
  });

  test("not when the clocks are four minutes apart, and an SDK that may retry learns AWS's time", async () => {
    minutesAhead = 4;
    await ssmClient(aws, key).send(read);
    minutesAhead = 60;
    aws.forgetCalls();
    await ssmClient(aws, key, { maxAttempts: 2 }).send(read);
    expect(aws.calls.map(({ errorCode }) => errorCode)).toEqual(['InvalidSignatureException', undefined]);
    minutesAhead = 0;
  });

  test('when it is not signed at all', async () => {
    const response = await fetch(aws.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSSM.GetParameter' },
      body: '{"Name":"/ci/key"}',
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await response.json()).toEqual({
      __type: 'MissingAuthenticationTokenException',
      message: 'Missing Authentication Token',
    });
  });
});
