/** What aws-actions/configure-aws-credentials exports before the action. */
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
import type { Credentials } from '../support/aws/local-aws.ts';
import type { Job, StepResult } from '../support/runner/job.ts';
import { gitSteps, told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

const BUILD_ROLE = `arn:aws:iam::${ACCOUNT}:role/build`;

describe('after aws-actions/configure-aws-credentials', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let now: () => Date;

  beforeEach(async () => {
    now = () => new Date();
    world = await startReadyWorld({ clock: () => now() });
    world.put('/ci/deploy-key', stage.key.privateKey);
    const policies = [
      allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`),
      allow('sts:AssumeRole', ROLE_ARN),
    ];
    world.aws.iam.createRole({ arn: BUILD_ROLE, trustPolicy: trustGitHub(), policies });
  });
  afterEach(async () => {
    await world.stop();
  });

  /** As exportCredentials and exportRegion of the action do (its src/helpers.ts). */
  const variablesOf = ({
    accessKeyId,
    secretAccessKey,
    sessionToken = '',
  }: Credentials): Record<string, string> => ({
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_DEFAULT_REGION: REGION,
    AWS_REGION: REGION,
  });
  const configured = async (
    env: Record<string, string>,
  ): Promise<{ job: Job; exported: Record<string, string> }> => {
    const session = { roleArn: BUILD_ROLE, sessionName: 'GitHubActions', durationSeconds: 3600 };
    const exported = variablesOf(world.aws.iam.createSession(session));
    const job = stage.job({ env });
    const lines = Object.entries(exported).map(([name, value]) => `echo '${name}=${value}' >> "$GITHUB_ENV"`);
    await job.run(lines.join('\n'));
    return { job, exported };
  };
  const load = async (job: Job, more: Record<string, string> = {}): Promise<StepResult> =>
    await job.uses({ with: { keys: '/ci/deploy-key', 'known-hosts': stage.host.knownHosts, ...more } });
  /** A job that may ask for a token, and one that may not. */
  const withToken = (): Record<string, string> => world.jobEnvironment();
  const withoutToken = (): Record<string, string> => world.aws.environment();
  const calls = (): (readonly (string | undefined)[])[] =>
    world.aws.calls.map(({ operation, region, roleArn }) => [operation, region, roleArn]);

  it('its credentials and its region are used where no role is named, in a job with a token too', async () => {
    const { job } = await configured(withToken());
    expect(told(await load(job)).text).toBe('');
    expect(calls()).toEqual([['ssm:GetParameter', REGION, BUILD_ROLE]]);
    expect((await job.run(gitSteps(stage.host))).log).toContain('## main...origin/main\n');
  });

  it('its variables stay as they were, in later steps and after post', async () => {
    const { job, exported } = await configured(withToken());
    const shown = async (): Promise<string[]> =>
      (await job.run('env | grep ^AWS_ | sort')).raw
        .split('\n')
        .filter((line) => (line.split('=')[0] as string) in exported);
    const before = await shown();
    expect(before.length).toBe(5);
    const main = await load(job, { 'role-to-assume': ROLE_ARN });
    expect(told(main).text).toBe('');
    expect(Object.keys(main.env).filter((name) => name.startsWith('AWS_'))).toEqual([]);
    expect(await shown()).toEqual(before);
    const { posts } = await job.finish();
    expect(posts.map(({ outcome }) => outcome)).toEqual(['success']);
    expect(await shown()).toEqual(before);
  });

  it('a role is asked for with the token, not with its credentials', async () => {
    const { job } = await configured(withToken());
    expect(told(await load(job, { 'role-to-assume': ROLE_ARN })).text).toBe('');
    expect(calls()).toEqual([
      ['oidc:token', undefined, undefined],
      ['sts:AssumeRoleWithWebIdentity', undefined, undefined],
      ['ssm:GetParameter', REGION, ROLE_ARN],
    ]);
  });

  it('a role is asked for with its credentials where there is no token, and the log says so', async () => {
    const { job } = await configured(withoutToken());
    const trust = { Effect: 'Allow' as const, Principal: { AWS: BUILD_ROLE }, Action: 'sts:AssumeRole' };
    world.aws.iam.createRole({
      arn: ROLE_ARN,
      trustPolicy: { Version: '2012-10-17', Statement: [trust] },
      policies: [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`)],
    });
    const main = await load(job, { 'role-to-assume': ROLE_ARN });
    expect(told(main).text).toBe('');
    expect(main.log).toContain(
      `no OIDC token in this job: asking for ${ROLE_ARN} with the credentials of AWS_ACCESS_KEY_ID`,
    );
    expect(calls()).toEqual([
      ['sts:AssumeRole', REGION, BUILD_ROLE],
      ['ssm:GetParameter', REGION, ROLE_ARN],
    ]);
  });

  it.each([
    ['no role is named', {}],
    ['there is no token for the role', { 'role-to-assume': ROLE_ARN }],
  ])('its credentials have expired and %s: CREDENTIALS_EXPIRED, with what to do', async (_, more) => {
    const { job } = await configured(withoutToken());
    const later = Date.now() + 3_601_000;
    now = () => new Date(later);
    const { code, text } = told(await load(job, { ...more, 'max-attempts': '1' }));
    expect(code).toBe('CREDENTIALS_EXPIRED');
    expect(text).toContain(
      'the AWS credentials have expired\nhint: get new credentials right before this step',
    );
    expect(text).toContain('id-token: write');
  });
});
