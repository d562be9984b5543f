/** The roles of examples/cloudformation, with the trust and the permissions that their templates give them, and no others. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import {
  startLocalAws,
  type Job as OidcJob,
  type LocalAws,
  type PolicyDocument,
} from '../support/aws/local-aws.ts';
import {
  ACCOUNT,
  allow,
  REGION,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../support/aws/world.ts';
import { makeStack, roleOf, type Stack } from '../support/cloudformation.ts';
import { publicKeyOf } from '../support/kms-keys.ts';
import { Ec2Host, INSTANCE_ROLE } from '../support/ec2-host.ts';
import { describeOnHost } from '../support/on-host.ts';
import { describeInTurn, itInTurn as it } from '../support/parts.ts';
import { DEPLOY_ARN, deployInputs, instanceId, useEc2JobStage } from './ec2-job/ec2-job-stage.ts';
import type { StepResult } from '../support/runner/job.ts';
import { repository, told, useStage } from './stage.ts';

const job = { Owner: 'acme', OwnerId: '1234', Repository: 'app', RepositoryId: '5678' };
const account = { account: ACCOUNT, region: REGION };

describeInTurn(describe)('a job with the role of ci-role', () => {
  const stage = useStage();
  const arn = `arn:aws:iam::${ACCOUNT}:role/of-the-template`;
  let aws: LocalAws;

  beforeEach(async () => {
    aws = await startLocalAws();
    const keyId = aws.kms.createKey({ ...account, alias: 'alias/ci-keys' });
    const stack = makeStack('ci-role', job, { 'Key.Arn': keyId });
    const provider = stack.resources['Provider']?.properties as { Url: string; ClientIdList: string[] };
    aws.iam.createOidcProvider({ account: ACCOUNT, url: provider.Url, clientIds: provider.ClientIdList });
    aws.iam.createRole({ arn, ...roleOf(stack) });
    for (const name of ['/ci/lib-key', '/ci/tools-key', '/prod/lib-key'])
      aws.parameters.put({ ...account, name, value: stage.key.privateKey, keyId });
  });
  afterEach(() => aws.stop());

  const load = async (
    oidc: OidcJob,
    keys = '/ci/lib-key github.com/acme/lib\n/ci/tools-key',
  ): Promise<StepResult> => {
    const env = { ...aws.environment(), ...aws.actionsEnvironment(oidc) };
    const inputs = {
      keys,
      'aws-region': REGION,
      'role-to-assume': arn,
      'known-hosts': stage.host.knownHosts,
    };
    return await stage.job({ env }).uses({ with: inputs });
  };

  it.each([
    ['the names', {}],
    ['the names and ids', { immutableSubject: true }],
  ])('reads keys below the path, under the key of the template, by a token with %s', async (_, oidc) => {
    const main = await load(oidc);
    expect([told(main).text, main.outputs['fingerprints']]).toEqual([
      '',
      JSON.stringify(Array(2).fill(stage.key.fingerprint)),
    ]);
  });

  it('clones with it', async () => {
    const env = { ...aws.environment(), ...aws.actionsEnvironment() };
    const run = stage.job({ env });
    const inputs = { keys: '/ci/lib-key', 'aws-region': REGION, 'role-to-assume': arn };
    expect(told(await run.uses({ with: { ...inputs, 'known-hosts': stage.host.knownHosts } })).text).toBe('');
    expect((await run.run(`git clone --quiet ${stage.host.url(repository)} lib`)).outcome).toBe('success');
  });

  it.each<[string, OidcJob]>([
    ['of another repository', { repository: 'acme/other' }],
    ['of another repository, with ids', { repository: 'acme/other', immutableSubject: true }],
    ['of another owner with the same names', { sub: 'repo:acme@9999/app@9999:ref:refs/heads/main' }],
    ['of another branch', { ref: 'refs/heads/topic' }],
    ['of a pull request', { event: 'pull_request', immutableSubject: true }],
    ['of an environment', { environment: 'production' }],
  ])('is refused if it is %s', async (_, oidc) => {
    expect(told(await load(oidc)).code).toBe('ASSUME_ROLE_DENIED');
  });

  it('is refused a key elsewhere', async () => {
    expect(told(await load({}, '/prod/lib-key')).code).toBe('KEY_ACCESS_DENIED');
  });
});

describeInTurn(describe)('a job that signs with the key of kms-key', () => {
  const stage = useStage();
  const arn = `arn:aws:iam::${ACCOUNT}:role/deploy`;
  const other = `arn:aws:iam::${ACCOUNT}:role/other`;
  let world: ReadyWorld;

  beforeEach(async () => {
    world = await startReadyWorld();
    const { iam, signingKeys } = world.aws;
    const keyArn = signingKeys.create({ ...account, alias: 'alias/deploy' });
    const parameters = { KeyAlias: 'alias/deploy', RoleName: 'deploy' };
    const { resources } = makeStack('kms-key', parameters, { 'Key.Arn': keyArn });
    const { KeyPolicy } = resources['Key']?.properties as { KeyPolicy: PolicyDocument };
    // A key's policy names it as a star.
    const statements = [KeyPolicy.Statement].flat().map(({ Resource, ...one }) => {
      expect(Resource).toBe('*');
      return one;
    });
    signingKeys.setPolicy(keyArn, { ...KeyPolicy, Statement: statements });
    const { PolicyDocument: signing } = resources['Signing']?.properties as {
      PolicyDocument: PolicyDocument;
    };
    iam.createRole({ arn, trustPolicy: trustGitHub(), policies: [signing] });
    iam.createRole({ arn: other, trustPolicy: trustGitHub(), policies: [allow('kms:*', '*')] });
    stage.host.addDeployKey({ repository, publicKey: publicKeyOf(signingKeys.get(keyArn)) });
  });
  afterEach(() => world.stop());

  const clone = async (role: string): Promise<{ text: string; log: string }> => {
    const run = stage.job({ env: world.jobEnvironment() });
    const there = `${stage.host.address}:${String(stage.host.port)}`;
    const inputs = { keys: `kms:alias/deploy ${there}`, 'aws-region': REGION, 'role-to-assume': role };
    const main = await run.uses({ with: { ...inputs, 'known-hosts': stage.host.knownHosts } });
    const { log } = await run.run(`git clone --quiet ${stage.host.url(repository)} lib && echo cloned`);
    return { text: told(main).text, log };
  };

  it('clones with it, and another role cannot sign, whatever IAM allows it', async () => {
    expect(await clone(arn)).toEqual({ text: '', log: expect.stringContaining('cloned') });
    expect((await clone(other)).log).not.toContain('cloned');
    const refused = world.aws.calls.filter(({ errorCode }) => errorCode !== undefined);
    expect(refused.map(({ operation }) => operation)).toContain('kms:Sign');
  });
});

describeInTurn(describeOnHost)('a host with the profile of instance-profile', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let host: Ec2Host;
  let keyId: string;

  beforeEach(async () => {
    world = await startReadyWorld();
    keyId = world.aws.kms.createKey({ ...account, alias: 'alias/ci-keys' });
    world.put('/ci/under-our-key', stage.key.privateKey, { keyId });
    world.put('/ci/under-key-of-aws', stage.key.privateKey);
    world.put('/prod/key', stage.key.privateKey);
    host = new Ec2Host(world, [stage.host]);
    host.configure([]);
  });
  afterEach(async () => {
    host.dispose();
    await world.stop();
  });

  const launch = (stack: Stack): void => {
    world.aws.iam.createRole({ arn: INSTANCE_ROLE, ...roleOf(stack) });
    world.aws.metadata.set({ ...account, roleArn: INSTANCE_ROLE });
  };
  const clone = async (key: string): Promise<{ code: number; stderr: string }> =>
    await host.run(`git clone --quiet ${stage.host.url(repository)} lib; rm -r lib`, { SSM_SSH_KEY: key });

  it('clones with the keys below the path, also under the key of ci-role', async () => {
    launch(makeStack('instance-profile', { KeyArn: keyId }));
    for (const key of ['/ci/under-our-key', '/ci/under-key-of-aws']) {
      const { code, stderr } = await clone(key);
      expect([key, stderr, code]).toEqual([key, '', 0]);
    }
    expect((await clone('/prod/key')).stderr).toContain('ssm-ssh: KEY_ACCESS_DENIED: ');
  });

  it('cannot use a KMS key that the template was not given', async () => {
    launch(makeStack('instance-profile'));
    expect((await clone('/ci/under-our-key')).stderr).toContain('ssm-ssh: KMS_ACCESS_DENIED: ');
    expect((await clone('/ci/under-key-of-aws')).stderr).toBe('');
  });
});

describeInTurn(describe)('a job with the role of deploy-role', () => {
  const stage = useEc2JobStage('session-manager');
  const other = 'i-0fedcba9876543210';

  beforeAll(async () => {
    const parameters = { ...job, TagKey: 'role', TagValue: 'web', OsUser: stage.instance.user };
    stage.world.aws.iam.createRole({ arn: DEPLOY_ARN, ...roleOf(makeStack('deploy-role', parameters)) });
    await stage.launch({ instanceId: other, tags: { role: 'database' } });
  });

  /** Without a session policy, which would narrow the session to the named host and user anyway. */
  const connect = async (
    to: string,
    given: Record<string, string> = { 'session-policy': 'none' },
  ): Promise<string> => {
    const run = stage.job();
    expect(told(await run.uses({ with: { ...deployInputs, ...given } })).text).toBe('');
    return (await run.run(`ssm-ssh ${to} echo connected 2>&1 || echo "exit $?"`)).log;
  };

  it.each([['auto'], ['none']])(
    'reaches an instance with the tag as the user (session-policy: %s)',
    async (policy) => {
      const given = { 'session-policy': policy };
      expect(await connect(`${stage.instance.user}@${instanceId}`, given)).toMatch(/^connected$/m);
      expect(await connect(`${stage.instance.user}@Name=web-1`, given)).toMatch(/^connected$/m);
    },
  );

  /** AWS's refusals. */
  const denied = (): string[] =>
    stage.world.aws.calls
      .filter(({ errorCode }) => errorCode !== undefined)
      .map(({ operation }) => operation);

  it('is refused another user', async () => {
    stage.world.aws.forgetCalls();
    expect(await connect(`nobody@${instanceId}`)).toMatch(
      /^ssm-ssh: INSTANCE_CONNECT_FAILED: (.*\n)*exit 255$/m,
    );
    expect(denied()).toEqual(['ec2-instance-connect:SendSSHPublicKey']);
  });

  it('is refused an instance with another value of the tag', async () => {
    stage.world.aws.forgetCalls();
    const said = await connect(`${stage.instance.user}@${other}`);
    expect(said).toMatch(/^ssm-ssh: (INSTANCE_CONNECT|SESSION)_FAILED: (.*\n)*exit 255$/m);
    expect(denied()).toContain('ec2-instance-connect:SendSSHPublicKey');
    expect(denied()).not.toContain('sts:AssumeRoleWithWebIdentity');
  });

  afterAll(() => {
    expect(stage.open).toBe(0);
  });
});
