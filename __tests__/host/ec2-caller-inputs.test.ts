/** As whom EC2 hosts are reached where the action's inputs name a token file, tags, policies or existing credentials. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { openEc2Caller, type Ec2Place } from '../../src/host/ec2-caller.ts';
import { renderJobRole, type JobRole } from '../../src/host/job-role.ts';
import { ACCOUNT, allow, REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

const silent = { info: () => undefined, warn: () => undefined, mask: () => undefined };
const userArn = `arn:aws:iam::${ACCOUNT}:user/runner`;
const HUB_ARN = `arn:aws:iam::${ACCOUNT}:role/hub`;

describe('an EC2 host is reached', () => {
  let world: ReadyWorld;
  let job: string;
  let before: NodeJS.ProcessEnv;

  beforeAll(async () => {
    before = { ...process.env };
    job = mkdtempSync(join(tmpdir(), 'ec2-caller-inputs-'));
    world = await startReadyWorld();
    world.aws.iam.createRole({
      arn: HUB_ARN,
      trustPolicy: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
        ],
      },
    });
  });
  afterAll(async () => {
    process.env = before;
    await world.stop();
    rmSync(job, { recursive: true });
  });
  beforeEach(() => {
    world.aws.forgetCalls();
    world.aws.faults.clear();
  });

  const reach = async (
    more: Partial<JobRole['role']>,
    env: Record<string, string>,
    { own = {}, ...noted }: Partial<JobRole> & { readonly own?: Partial<Ec2Place> } = {},
  ): Promise<string> => {
    const role: JobRole['role'] = {
      ...{ arn: ROLE_ARN, through: [], sessionName: 'acme-app', durationSeconds: 900 },
      ...{ audience: undefined, externalId: undefined, policy: 'auto', ...more },
    };
    const settings = { environmentRegion: '', allowedAccounts: [], maxAttempts: 1, timeoutSeconds: 60 };
    writeFileSync(join(job, 'role'), renderJobRole({ role, regions: [REGION], ...settings, ...noted }));
    // The AWS SDK reads its settings from the environment of the process.
    process.env = { ...env };
    const place = { job, region: undefined, roles: [], timeoutSeconds: 30, ...own };
    const { signal } = new AbortController();
    try {
      const { region, connection, credentials } = await openEc2Caller({}, place, {
        env,
        signal,
        voice: silent,
      });
      const client = new STSClient({ region, ...connection, ...(credentials && { credentials }) });
      return (await client.send(new GetCallerIdentityCommand({}))).Arn ?? '';
    } catch (error) {
      if (error instanceof Failure) return error.code;
      throw error;
    }
  };
  const asked = (): Record<string, unknown>[] =>
    world.aws.calls
      .filter(({ operation }) => operation.startsWith('sts:AssumeRole'))
      .map(({ parameters }) => parameters);
  const roleSession = `arn:aws:sts::${ACCOUNT}:assumed-role/ci/acme-app`;
  const withKeys = (...policies: ReturnType<typeof allow>[]): Record<string, string> => {
    const credentials = world.aws.iam.createAccessKey({ userArn, policies });
    return { ...world.aws.environment({ credentials }), ...world.aws.actionsEnvironment() };
  };

  it('with the token that the file has at that moment', async () => {
    const tokenFile = join(job, 'token');
    const issue = (): Promise<string> => world.aws.oidc.issueToken({}, 'sts.amazonaws.com');
    writeFileSync(tokenFile, 'no token');
    expect(await reach({ tokenFile }, world.jobEnvironment())).toBe('INPUT_INVALID');
    writeFileSync(tokenFile, await issue());
    expect(await reach({ tokenFile }, world.jobEnvironment())).toBe(roleSession);
    expect(world.aws.calls.map(({ operation }) => operation)).not.toContain('oidc:token');
  });

  it('with credentials of the environment where the action skipped the token', async () => {
    const env = withKeys(allow('sts:*', HUB_ARN));
    expect(await reach({ arn: HUB_ARN, skipsOidc: true }, env)).toMatch(/assumed-role\/hub\/acme-app$/);
    expect(await reach({ arn: HUB_ARN, skipsOidc: true }, world.jobEnvironment())).toBe(
      'CREDENTIALS_MISSING',
    );
    expect(world.aws.calls.map(({ operation }) => operation)).not.toContain('oidc:token');
  });

  it('by a session that has the tags and the managed policies', async () => {
    const arn = `arn:aws:iam::${ACCOUNT}:policy/hosts`;
    world.aws.iam.createPolicy({ arn, document: allow('ec2:*', '*') });
    const tags = [
      { key: 'Team', value: 'build', transitive: true },
      { key: 'Run', value: '42', transitive: false },
    ];
    const role = { arn: HUB_ARN, skipsOidc: true, managedPolicies: [arn], tags };
    expect(await reach(role, withKeys(allow('sts:*', HUB_ARN)))).toMatch(/assumed-role\/hub\//);
    expect(asked()).toEqual([
      expect.objectContaining({
        ...{ 'Tags.member.1.Key': 'Team', 'Tags.member.2.Value': '42' },
        ...{ 'TransitiveTagKeys.member.1': 'Team', 'PolicyArns.member.1.arn': arn },
      }),
    ]);
  });

  it("by the role of the command line, in the job's Region; a setting's role does not count", async () => {
    const github = { audience: 'sts.amazonaws.com' };
    const env = withKeys(allow('sts:*', HUB_ARN));
    const own = { roles: [HUB_ARN] };
    expect(await reach(github, env, { own })).toBe(roleSession);
    world.aws.forgetCalls();
    Reflect.deleteProperty(env, 'AWS_REGION');
    const chosen = { own: { ...own, ownRoles: true }, allowedAccounts: ['444455556666'] };
    expect(await reach(github, env, chosen)).toMatch(/assumed-role\/hub\//);
    expect(world.aws.calls.map(({ operation, region }) => [operation, region])).toEqual([
      ...[['sts:AssumeRole', REGION] as const, ['sts:GetCallerIdentity', REGION] as const],
    ]);
    expect(await reach(github, world.jobEnvironment(), chosen)).toBe('CREDENTIALS_MISSING');
  });

  it('with credentials that the step has already, if AWS accepts them, else by the role', async () => {
    const github = { audience: 'sts.amazonaws.com' };
    expect(await reach(github, withKeys(), { useExisting: true })).toBe(userArn);
    expect(asked()).toEqual([]);
    expect(await reach(github, world.jobEnvironment(), { useExisting: true })).toBe(roleSession);
    const other = { useExisting: true, allowedAccounts: ['444455556666'] };
    expect(await reach(github, withKeys(), other)).toBe('ACCOUNT_NOT_ALLOWED');
  });
});
