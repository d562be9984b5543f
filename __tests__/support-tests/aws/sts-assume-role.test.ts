import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { Condition } from '../../support/aws/iam/policy-document.ts';
import type { Credentials, LocalAws, PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { failureOf, stsClient } from './clients.ts';

const OTHER_ACCOUNT = '444455556666';

let world: ReadyWorld;
let aws: LocalAws;

beforeEach(async () => {
  world = await startReadyWorld();
  ({ aws } = world);
});
afterEach(() => world.stop());

function assume(caller: Credentials, more: Partial<AssumeRoleCommandInput> = {}): Promise<unknown> {
  const input = { RoleArn: ROLE_ARN, RoleSessionName: 'chained', ...more };
  return stsClient(aws, caller).send(new AssumeRoleCommand(input));
}

function trust(principal: string, condition?: Condition): PolicyDocument {
  const statement = { Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole' } as const;
  return { Version: '2012-10-17', Statement: { ...statement, ...(condition && { Condition: condition }) } };
}

describe('AssumeRole', () => {
  const user = `arn:aws:iam::${ACCOUNT}:user/deployer`;
  const mayAssume = allow('sts:AssumeRole', '*');
  const refused = (arn: string, role = ROLE_ARN): object => ({
    name: 'AccessDenied',
    message: `User: ${arn} is not authorized to perform: sts:AssumeRole on resource: ${role}`,
    status: 403,
  });

  test('with trust in the account, it is the identity policy that decides', async () => {
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trust(`arn:aws:iam::${ACCOUNT}:root`) });
    await expect(
      assume(aws.iam.createAccessKey({ userArn: user, policies: [mayAssume] })),
    ).resolves.toBeDefined();
    expect(await failureOf(assume(aws.iam.createAccessKey({ userArn: user })))).toEqual(refused(user));
  });

  test('with trust in the user itself, nothing else is needed inside the account', async () => {
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trust(user) });
    await expect(assume(aws.iam.createAccessKey({ userArn: user }))).resolves.toBeDefined();
    const denied = { Statement: { Effect: 'Deny', Action: '*', Resource: '*' } } as const;
    expect(await failureOf(assume(aws.iam.createAccessKey({ userArn: user, policies: [denied] })))).toEqual(
      refused(user),
    );
  });

  test('across accounts both sides have to agree', async () => {
    const foreigner = `arn:aws:iam::${OTHER_ACCOUNT}:user/partner`;
    const willing = aws.iam.createAccessKey({ userArn: foreigner, policies: [mayAssume] });
    expect(await failureOf(assume(willing))).toEqual(refused(foreigner));
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trust(foreigner) });
    await expect(assume(willing)).resolves.toBeDefined();
    expect(await failureOf(assume(aws.iam.createAccessKey({ userArn: foreigner })))).toEqual(
      refused(foreigner),
    );
  });

  test('checks the external id', async () => {
    const condition = { StringEquals: { 'sts:ExternalId': 'acme-42' } };
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trust('*', condition) });
    const key = aws.iam.createAccessKey({ userArn: user, policies: [mayAssume] });
    await expect(assume(key, { ExternalId: 'acme-42' })).resolves.toBeDefined();
    expect(await failureOf(assume(key))).toEqual(refused(user));
    expect(await failureOf(assume(key, { ExternalId: 'acme-43' }))).toEqual(refused(user));
  });

  test('a chained role lasts one hour at most, for any maximum', async () => {
    const first = `arn:aws:iam::${ACCOUNT}:role/team/first`;
    aws.iam.createRole({ arn: first, trustPolicy: trust('*'), policies: [mayAssume] });
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trust(first), maxSessionDuration: 43_200 });
    const session = aws.iam.createSession({ roleArn: first, sessionName: 'one' });
    await expect(assume(session, { DurationSeconds: 3600 })).resolves.toMatchObject({
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/ci/chained` },
    });
    expect(await failureOf(assume(session, { DurationSeconds: 3601 }))).toMatchObject({
      name: 'ValidationError',
      message:
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    });
    const key = aws.iam.createAccessKey({ userArn: user, policies: [mayAssume] });
    aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trust(user), maxSessionDuration: 43_200 });
    await expect(assume(key, { DurationSeconds: 43_200 })).resolves.toBeDefined();
  });

  test('an unsupported operation is reported', async () => {
    const response = await fetch(aws.endpoint, {
      method: 'POST',
      body: new URLSearchParams({ Action: 'GetSessionToken', Version: '2011-06-15' }),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(
      '<Code>InvalidAction</Code><Message>Could not find operation GetSessionToken for version 2011-06-15</Message>',
    );
  });
});
