import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import {
  ACCOUNT,
  allow,
  REGION,
  ROLE_ARN,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../support/aws/world.ts';
import type { LocalAwsOptions } from '../support/aws/local-aws.ts';
import type { Job } from '../support/runner/job.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

const parameter = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/deploy-key`;

describe('what AWS refuses', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let job: Job;

  const restart = async (options: LocalAwsOptions = {}): Promise<void> => {
    world = await startReadyWorld(options);
    world.put('/ci/deploy-key', stage.key.privateKey);
  };
  beforeEach(async () => {
    await restart();
  });
  afterEach(async () => {
    await world.stop();
  });

  const refuse = async (
    more: Record<string, string> = {},
    env: Record<string, string> = world.jobEnvironment(),
  ): Promise<{ code: string; text: string }> => {
    job = stage.job({ env });
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN, ...more };
    const main = await job.uses({ with: inputs });
    expect(main.outcome).toBe('failure');
    expect(main.outputs).toEqual({});
    expect(main.env).toEqual({});
    expect(job.processes()).toEqual([]);
    expect(job.files()).toEqual([]);
    return told(main);
  };
  /** Does what the hint says: the step has to succeed then. */
  const succeed = async (): Promise<void> => {
    job = stage.job({ env: world.jobEnvironment() });
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const main = await job.uses({ with: inputs });
    expect(told(main).text).toBe('');
  };
  const jsonIn = (text: string, before: string): Record<string, unknown> => {
    const from = text.indexOf('{', text.indexOf(before) + before.length);
    for (let to = text.indexOf('}', from); to > 0; to = text.indexOf('}', to + 1)) {
      try {
        return JSON.parse(text.slice(from, to + 1)) as Record<string, unknown>;
      } catch {
        // Not the outermost brace yet.
      }
    }
    throw new Error(`no JSON behind ${before}`);
  };

  it('the role: ASSUME_ROLE_DENIED, and the condition in the hint fixes it', async () => {
    const setTrust = (condition: unknown): void => {
      const trust = trustGitHub('repo:acme/somebody-else:*');
      const [statement] = trust.Statement as [object];
      world.aws.iam.createRole({
        arn: ROLE_ARN,
        trustPolicy: condition
          ? { ...trust, Statement: [{ ...statement, Condition: condition } as never] }
          : trust,
        policies: [allow('ssm:GetParameter', parameter)],
      });
    };
    setTrust(undefined);
    const { code, text } = await refuse();
    expect(code).toBe('ASSUME_ROLE_DENIED');
    expect(text).toContain(`AWS STS did not give the role ${ROLE_ARN}: Not authorized to perform`);
    const condition = jsonIn(text, '"Condition":');
    expect(condition).toEqual({
      StringEquals: {
        'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
        'token.actions.githubusercontent.com:sub': 'repo:acme/app:ref:refs/heads/main',
      },
    });
    setTrust(condition);
    await succeed();
  });

  it('a role that was just made is asked for again, not much longer than it takes to spread', async () => {
    const asked = (): unknown[] => world.aws.calls.filter(({ service }) => service === 'sts');
    world.aws.faults.order({
      operation: 'sts:AssumeRoleWithWebIdentity',
      fault: {
        error: {
          code: 'AccessDenied',
          message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
          status: 403,
        },
      },
      times: 2,
    });
    await succeed();
    expect(asked().length).toBe(3);
  });

  it('the parameter: KEY_ACCESS_DENIED, and the statement in the hint fixes it', async () => {
    const grant = (statement: unknown): void => {
      const Statement = [statement as never];
      const policies = [{ Version: '2012-10-17' as const, Statement }];
      world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
    };
    grant({ Effect: 'Allow', Action: 'ssm:GetParameter', Resource: `${parameter}-of-another` });
    const { code, text } = await refuse();
    expect(code).toBe('KEY_ACCESS_DENIED');
    expect(text).toContain('reading the parameter /ci/deploy-key in eu-west-1 is denied');
    const statement = jsonIn(text, "add to the role's policy:");
    expect(statement).toEqual({ Effect: 'Allow', Action: 'ssm:GetParameter', Resource: parameter });
    grant(statement);
    await succeed();
  });

  it.each(['old', 'new'] as const)('the KMS key, in %s wording: KMS_ACCESS_DENIED', async (kmsWording) => {
    await world.stop();
    await restart({ kmsWording });
    const keyId = world.aws.kms.createKey({ account: ACCOUNT, region: REGION });
    world.put('/ci/deploy-key', stage.key.privateKey, { keyId });
    const { code, text } = await refuse();
    expect(code).toBe('KMS_ACCESS_DENIED');
    const statement = jsonIn(text, "with the parameter's KMS key:");
    expect(statement).toMatchObject({
      Action: 'kms:Decrypt',
      Condition: { StringEquals: { 'kms:ViaService': 'ssm.eu-west-1.amazonaws.com' } },
    });
    world.aws.iam.createRole({
      arn: ROLE_ARN,
      trustPolicy: trustGitHub(),
      policies: [
        allow('ssm:GetParameter', parameter),
        { Version: '2012-10-17', Statement: [{ ...statement, Resource: keyId } as never] },
      ],
    });
    await succeed();
  });

  it.each(['Disabled', 'PendingDeletion'] as const)(
    'a KMS key in state %s: KMS_KEY_UNUSABLE',
    async (state) => {
      const keyId = world.aws.kms.createKey({ account: ACCOUNT, region: REGION });
      world.put('/ci/deploy-key', stage.key.privateKey, { keyId });
      const policies = [allow('ssm:GetParameter', parameter), allow('kms:Decrypt', keyId)];
      world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
      world.aws.kms.setState(keyId, state);
      const { code, text } = await refuse();
      expect(code).toBe('KMS_KEY_UNUSABLE');
      expect(text).toContain('aws kms enable-key');
    },
  );

  it('one of several: the error says which, and the others are not loaded either', async () => {
    world.put('/other/key', stage.key.privateKey);
    const { code, text } = await refuse({ keys: '/ci/deploy-key\n/other/key' });
    expect(code).toBe('KEY_ACCESS_DENIED');
    expect(text).toContain('/other/key');
    expect(text).not.toContain('/ci/deploy-key');
  });

  it('a job that may not ask for a token: OIDC_UNAVAILABLE, with the permission to add', async () => {
    const { code, text } = await refuse({}, world.aws.environment());
    expect(code).toBe('OIDC_UNAVAILABLE');
    expect(text).toContain('id-token: write');
    expect(world.aws.calls).toEqual([]);
  });

  it('a token service that refuses: OIDC_REQUEST_FAILED', async () => {
    const env = { ...world.jobEnvironment(), ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'expired' };
    const { code, text } = await refuse({}, env);
    expect(code).toBe('OIDC_REQUEST_FAILED');
    expect(text).toContain('answered 401\nhint: ');
  });

  it('another audience: ASSUME_ROLE_DENIED, with the audience to add', async () => {
    const { code, text } = await refuse({ audience: 'https://acme.test' });
    expect(code).toBe('ASSUME_ROLE_DENIED');
    expect(text).toContain('add https://acme.test to the audiences of the identity provider');
  });

  it('credentials of the environment that are wrong: CREDENTIALS_MISSING; that are none: CREDENTIALS_MISSING', async () => {
    const wrong = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'wrong' };
    const alone = { 'role-to-assume': '' };
    expect((await refuse(alone, { ...world.aws.environment(), ...wrong })).code).toBe('CREDENTIALS_MISSING');
    const none = await refuse(alone, world.aws.environment());
    expect(none.code).toBe('CREDENTIALS_MISSING');
    expect(none.text).toContain('hint: set role-to-assume');
    const profile = await refuse(alone, { ...world.aws.environment(), AWS_PROFILE: 'nobody' });
    expect(profile.code).toBe('CREDENTIALS_MISSING');
    expect(profile.text).toContain('aws configure list --profile nobody');
  });

  it('no region anywhere: REGION_MISSING, before anything is asked', async () => {
    const { code } = await refuse({ 'aws-region': '' });
    expect(code).toBe('REGION_MISSING');
    expect(world.aws.calls).toEqual([]);
  });
});
