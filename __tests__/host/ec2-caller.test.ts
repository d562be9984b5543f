/** Credentials for EC2 hosts, from a local AWS. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EC2InstanceConnectClient, SendSSHPublicKeyCommand } from '@aws-sdk/client-ec2-instance-connect';
import {
  GetParameterCommand,
  SSMClient,
  StartSessionCommand,
  TerminateSessionCommand,
} from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { openEc2Caller, type Ec2Place, type Ec2Target } from '../../src/host/ec2-caller.ts';
import { renderJobRole, type JobRole } from '../../src/host/job-role.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import {
  ACCOUNT,
  allow,
  REGION,
  ROLE_ARN,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../support/aws/world.ts';
import { makeSshKey } from '../support/ssh-keys.ts';

interface Asked {
  readonly target?: Ec2Target;
  readonly place?: Partial<Ec2Place>;
}

interface Answered {
  readonly region?: string;
  /** The ARN of the role's session, or of the user. */
  readonly arn?: string | undefined;
  readonly expires?: boolean;
  readonly code?: string;
  readonly hint?: string;
}

/** `done`, or the error's name and reason. */
async function outcomeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'done',
    (error: unknown) => {
      const { name, message } = error as Error;
      return `${name}: ${/because no .* policy allows/.exec(message)?.[0] ?? message}`;
    },
  );
}

const silent = { info: () => undefined, warn: () => undefined, mask: () => undefined };

const HOP_ARN = `arn:aws:iam::${ACCOUNT}:role/hop`;
const instanceId = 'i-0123456789abcdef0';
const otherId = 'i-0fedcba9876543210';
const { publicKey } = await makeSshKey();

describe('an EC2 host', () => {
  let world: ReadyWorld;
  let folder: string;
  let made = 0;

  beforeAll(async () => {
    world = await startReadyWorld();
    folder = mkdtempSync(join(tmpdir(), 'ec2-caller-'));
    const trustPolicy: PolicyDocument = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
    };
    world.aws.iam.createRole({ arn: HOP_ARN, trustPolicy });
  });
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    world.aws.forgetCalls();
    world.aws.faults.clear();
  });

  /** The folder of a use of the action, beside the other ones. */
  const use = (more: Partial<JobRole['role']> | undefined = {}, noted: Partial<JobRole> = {}): string => {
    const job = join(folder, String(made++));
    const role: JobRole['role'] = {
      ...{ arn: ROLE_ARN, through: [], sessionName: 'acme-app-42-1', durationSeconds: 900 },
      ...{ audience: 'sts.amazonaws.com', externalId: undefined, policy: 'auto', ...more },
    };
    mkdirSync(job);
    writeFileSync(
      join(job, 'role'),
      renderJobRole({
        ...{ role, regions: [REGION], environmentRegion: '', allowedAccounts: [] },
        ...{ maxAttempts: 2, timeoutSeconds: 120 },
        ...noted,
      }),
    );
    return job;
  };
  /** The folder of a use without a role. */
  const useWithoutRole = (before: string): string => {
    const job = join(folder, String(made++));
    mkdirSync(job);
    writeFileSync(join(job, 'before'), `${before}\n`);
    return job;
  };
  /** The AWS SDK reads its settings from the environment of this process. */
  const prepare = (env: Record<string, string>): void => {
    const before = Object.keys(process.env).filter((name) => /^(AWS|ACTIONS)_/.test(name));
    for (const name of before) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, env);
  };
  const ask = async (
    { target = {}, place = {} }: Asked,
    env: Record<string, string> = world.jobEnvironment(),
  ): Promise<Answered> => {
    prepare(env);
    const whole = { region: undefined, roles: [], timeoutSeconds: 30, ...place };
    const { signal } = new AbortController();
    try {
      const caller = await openEc2Caller(target, whole, { env, signal, voice: silent });
      const { region, connection, credentials } = caller;
      const client = new STSClient({ region, ...connection, ...(credentials && { credentials }) });
      const { Arn: arn } = await client.send(new GetCallerIdentityCommand({}));
      return { region, arn, expires: (await credentials?.())?.expiration !== undefined };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { code: error.code, hint: error.hint };
    }
  };
  const assumed = (): { readonly operation: string; readonly policy: string }[] =>
    world.aws.calls
      .filter(({ operation }) => operation.startsWith('sts:AssumeRole'))
      .map(({ operation, parameters }) => ({ operation, policy: (parameters['Policy'] ?? '') as string }));
  const session = `arn:aws:sts::${ACCOUNT}:assumed-role/ci/acme-app-42-1`;

  it("in a job is reached with the job's role, assumed with the step's own token, and narrowed to the host", async () => {
    const job = use();
    const answered = await ask({ target: { instanceId, user: 'deploy' }, place: { job } });
    expect(answered).toEqual({ region: REGION, arn: session, expires: true });
    const [{ operation, policy } = { operation: '', policy: '' }, ...more] = assumed();
    expect([operation, more]).toEqual(['sts:AssumeRoleWithWebIdentity', []]);
    expect(policy).toContain(`arn:aws:ec2:${REGION}:${ACCOUNT}:instance/${instanceId}`);
    expect(policy).toContain('"ec2:osuser":"deploy"');
  });

  it('is the only host that the session may reach', async () => {
    const arn = `arn:aws:iam::${ACCOUNT}:role/may-do-all`;
    world.aws.iam.createRole({ arn, trustPolicy: trustGitHub(), policies: [allow('*', '*')] });
    const ports = { 22: 9 };
    for (const id of [instanceId, otherId]) {
      world.aws.ec2.launch({ instanceId: id });
      world.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId: id, ports });
    }
    world.aws.parameters.put({ account: ACCOUNT, region: REGION, name: '/ci/key', value: 'x' });
    prepare(world.jobEnvironment());
    const place = { job: use({ arn }), region: undefined, roles: [], timeoutSeconds: 30 };
    const { signal } = new AbortController();
    const target = { instanceId, user: 'deploy' };
    const caller = await openEc2Caller(target, place, { env: process.env, signal, voice: silent });
    const { region, connection, credentials = () => Promise.reject(new Error('no credentials')) } = caller;
    const client = new SSMClient({ region, ...connection, credentials });
    const start = (Target: string, more = {}): Promise<string> =>
      outcomeOf(
        client.send(new StartSessionCommand({ Target, DocumentName: 'AWS-StartSSHSession', ...more })),
      );
    expect(await start(instanceId)).toBe('done');
    const denied = 'AccessDeniedException: because no session policy allows';
    expect(await start(otherId)).toBe(denied);
    expect(await start(instanceId, { DocumentName: 'AWS-StartPortForwardingSession' })).toBe(denied);
    expect(await outcomeOf(client.send(new GetParameterCommand({ Name: '/ci/key' })))).toBe(denied);
    const [open] = world.aws.sessions.open;
    expect(await outcomeOf(client.send(new TerminateSessionCommand({ SessionId: open?.id })))).toBe('done');
    const push = (InstanceId: string, InstanceOSUser: string): Promise<string> =>
      outcomeOf(
        new EC2InstanceConnectClient({ region, ...connection, credentials }).send(
          new SendSSHPublicKeyCommand({ InstanceId, InstanceOSUser, SSHPublicKey: publicKey }),
        ),
      );
    expect(await push(instanceId, 'deploy')).toBe('done');
    expect(await push(instanceId, 'root')).toBe(denied);
    expect(await push(otherId, 'deploy')).toBe(denied);
  });

  it('that is not known yet may only be looked up', async () => {
    await ask({ place: { job: use() } });
    expect(assumed().map(({ policy }) => policy)).toEqual([
      JSON.stringify(allow(['ec2:DescribeInstances', 'ec2:DescribeInstanceConnectEndpoints'], '*')),
    ]);
  });

  it.each([
    ['none', 'none' as const, ''],
    ['JSON of their own', { json: JSON.stringify(allow('ssm:*', '*')) }, JSON.stringify(allow('ssm:*', '*'))],
  ])('is reached with the action’s session policy: %s', async (_, policy, sent) => {
    await ask({ target: { instanceId }, place: { job: use({ policy }) } });
    expect(assumed().map((call) => call.policy)).toEqual([sent]);
  });

  it("is in the step's Region, otherwise in the job's first; the role is assumed there", async () => {
    const job = use({}, { regions: ['eu-central-1', REGION] });
    expect((await ask({ place: { job } })).region).toBe('eu-central-1');
    expect((await ask({ target: { instanceId }, place: { job, region: 'us-east-1' } })).region).toBe(
      'us-east-1',
    );
    expect(assumed().at(-1)?.policy).toContain(':us-east-1:');
  });

  it("is in the Region of the step's environment, if it is one in which the role can be assumed", async () => {
    const job = use();
    const regionIn = async (name: string): Promise<string | undefined> =>
      (await ask({ place: { job } }, { ...world.jobEnvironment(), AWS_REGION: name })).region;
    expect(await regionIn('eu-central-1')).toBe('eu-central-1');
    // The Region of another service, and one of another partition.
    for (const name of ['auto', 'cn-north-1']) expect(await regionIn(name)).toBe(REGION);
  });

  it('in a job without a Region is in the Region of the step', async () => {
    const job = use({}, { regions: [] });
    const env = { ...world.jobEnvironment(), AWS_REGION: 'eu-north-1' };
    expect((await ask({ place: { job } }, env)).region).toBe('eu-north-1');
    expect(await ask({ place: { job } })).toMatchObject({ code: 'REGION_MISSING' });
  });

  it('is reached with the role of an earlier use if the latest has none', async () => {
    const first = use({ sessionName: 'first-use' });
    const job = useWithoutRole(first.slice(folder.length + 1));
    expect((await ask({ place: { job } })).arn).toMatch(/\/first-use$/);
  });

  it("gives a step without the job's variables a hint about them", async () => {
    const answered = await ask({ place: { job: use() } }, world.aws.environment());
    expect(answered.code).toBe('OIDC_UNAVAILABLE');
    expect(answered.hint).toMatch(/ACTIONS_ID_TOKEN_REQUEST_URL.*ACTIONS_ID_TOKEN_REQUEST_TOKEN/);
  });

  it('is reached with credentials of the environment if the step has no token, as in main', async () => {
    const credentials = world.aws.iam.createAccessKey({
      userArn: `arn:aws:iam::${ACCOUNT}:user/deployer`,
      policies: [allow('sts:AssumeRole', '*')],
    });
    const answered = await ask(
      { place: { job: use({ arn: HOP_ARN }) } },
      world.aws.environment({ credentials }),
    );
    expect(answered.arn).toMatch(/assumed-role\/hop\/acme-app-42-1$/);
  });

  it('is not reached in an account that is not allowed', async () => {
    const job = use({}, { allowedAccounts: ['444455556666'] });
    expect(await ask({ place: { job } })).toMatchObject({ code: 'ACCOUNT_NOT_ALLOWED' });
    expect(assumed()).toEqual([]);
  });

  it('is aborted at the time limit', async () => {
    world.aws.faults.order({ operation: 'sts:AssumeRoleWithWebIdentity', fault: 'hang' });
    const answered = await ask({ place: { job: use(), timeoutSeconds: 1 } });
    expect(answered).toMatchObject({ code: 'TIMEOUT' });
  });

  it('on a host is reached with the default credentials, or with the roles of the settings', async () => {
    const userArn = `arn:aws:iam::${ACCOUNT}:user/operator`;
    const credentials = world.aws.iam.createAccessKey({ userArn, policies: [allow('sts:AssumeRole', '*')] });
    const env = { ...world.aws.environment({ credentials }), AWS_REGION: REGION };
    expect(await ask({}, env)).toEqual({ region: REGION, arn: userArn, expires: false });
    const answered = await ask({ place: { roles: [HOP_ARN] } }, env);
    expect(answered.arn).toMatch(/assumed-role\/hop\/ssm-ssh$/);
    expect(assumed().map(({ policy }) => policy)).toEqual(['']);
  });
});
