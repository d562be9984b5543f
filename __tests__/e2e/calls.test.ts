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
import { createCertificates } from '../support/aws/wire/certificates.ts';
import type { Call } from '../support/aws/local-aws.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';
import { TcpRelay } from '../support/tcp-relay.ts';

describe('what AWS is asked', () => {
  const stage = useStage();
  let world: ReadyWorld;

  beforeEach(async () => {
    world = await startReadyWorld();
  });
  afterEach(async () => {
    await world.stop();
  });

  const grant = (actions: string | string[]): void => {
    const policies = [allow(actions, `arn:aws:ssm:*:${ACCOUNT}:parameter/*`)];
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
  };
  /** Every parameter holds the same key: it is the calls that count here. */
  const load = async (
    names: readonly string[],
    more: Record<string, string> = {},
  ): Promise<readonly Call[]> => {
    const job = stage.job({ env: world.jobEnvironment() });
    const inputs = { keys: names.join('\n'), 'aws-region': REGION, 'role-to-assume': ROLE_ARN, ...more };
    const main = await job.uses({ with: inputs });
    expect(told(main).text).toBe('');
    expect((JSON.parse(main.outputs['fingerprints'] ?? '[]') as unknown[]).length).toBe(names.length);
    return world.aws.calls;
  };
  const operations = (calls: readonly Call[]): string[] =>
    calls.map(({ operation }) => operation.replace(/^\w+:/, ''));
  const put = (count: number, nameOf = (i: number) => `/ci/key-${String(i)}`): string[] => {
    const names = Array.from({ length: count }, (_, i) => nameOf(i));
    for (const name of names) world.put(name, stage.key.privateKey);
    return names;
  };

  it('for one key: a token, a role, and GetParameter alone', async () => {
    grant('ssm:GetParameter');
    const calls = await load(put(1));
    expect(operations(calls)).toEqual(['token', 'AssumeRoleWithWebIdentity', 'GetParameter']);
    expect(calls.at(-1)?.parameters).toEqual({ Name: '/ci/key-0', WithDecryption: true });
    expect(calls.at(-1)?.region).toBe(REGION);
  });

  it('for 12 keys: GetParameters twice', async () => {
    const calls = await load(put(12), { 'session-policy': 'none' });
    expect(operations(calls).slice(2)).toEqual(['GetParameters', 'GetParameters']);
    const names = calls.slice(2).flatMap(({ parameters }) => parameters['Names'] as string[]);
    expect(new Set(names).size).toBe(12);
  });

  it('where GetParameters is not allowed: each by GetParameter', async () => {
    grant('ssm:GetParameter');
    const calls = operations(await load(put(3))).slice(2);
    expect(calls).toEqual(['GetParameters', 'GetParameter', 'GetParameter', 'GetParameter']);
  });

  it('where GetParameter is not allowed: GetParameters, for one key too', async () => {
    grant('ssm:GetParameters');
    expect(operations(await load(put(1))).slice(2)).toEqual(['GetParameter', 'GetParameters']);
  });

  it('in each region that an ARN names, with the same role', async () => {
    grant('ssm:GetParameter');
    const elsewhere = world.put('/ci/elsewhere', stage.key.privateKey, { region: 'us-east-1' });
    const calls = await load([...put(1), elsewhere]);
    const asked = calls.filter(({ service }) => service === 'ssm').map(({ region }) => region);
    expect(asked.sort()).toEqual([REGION, 'us-east-1']);
    expect(operations(calls).filter((name) => name.startsWith('Assume')).length).toBe(1);
  });

  it('with a session that may do no more than read the named parameters', async () => {
    const [, assume] = await load(put(1));
    const policy = JSON.parse(String(assume?.parameters['Policy'])) as { Statement: { Resource: unknown }[] };
    const [read] = policy.Statement;
    expect(read?.Resource).toEqual([`arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/key-0`]);
    expect(assume?.parameters).toMatchObject({ DurationSeconds: '900', RoleArn: ROLE_ARN });
  });

  it('in several sessions from one token where the names do not fit into one policy', async () => {
    const names = put(
      40,
      (i) =>
        `/ci/${'a-rather-long-name/'.repeat(3)}${String(i)}`.slice(0, 60).padEnd(60, String(i % 10)) +
        String(i),
    );
    const calls = operations(await load(names));
    expect(calls.filter((name) => name === 'token').length).toBe(1);
    expect(calls.filter((name) => name === 'AssumeRoleWithWebIdentity').length).toBeGreaterThan(1);
    expect(calls.filter((name) => name === 'GetParameter').length).toBe(0);
  });

  it('in the name of the run, so that CloudTrail shows it', async () => {
    const calls = await load(put(1));
    expect(calls.at(-1)?.sessionName).toMatch(/^acme-app-\d+-\d+$/);
    world.aws.forgetCalls();
    const named = await load(put(1), { 'role-session-name': 'release' });
    expect(named.at(-1)?.sessionName).toBe('release');
  });

  it('with other credentials for the role where the job has no token, and says so', async () => {
    const userArn = `arn:aws:iam::${ACCOUNT}:user/runner`;
    const credentials = world.aws.iam.createAccessKey({
      userArn,
      policies: [allow('sts:AssumeRole', ROLE_ARN)],
    });
    const trustPolicy = {
      Version: '2012-10-17' as const,
      Statement: [{ Effect: 'Allow' as const, Principal: { AWS: userArn }, Action: 'sts:AssumeRole' }],
    };
    const policies = [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`)];
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy, policies });
    put(1);
    const job = stage.job({ env: world.aws.environment({ credentials }) });
    const inputs = { keys: '/ci/key-0', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const main = await job.uses({ with: inputs });
    expect(told(main).text).toBe('');
    expect(main.log).toContain(`asking for ${ROLE_ARN} with the credentials of AWS_ACCESS_KEY_ID`);
    expect(operations(world.aws.calls)).toEqual(['AssumeRole', 'GetParameter']);
  });

  it('on a self-hosted runner on EC2: with the role of the instance, in its region', async () => {
    const role = 'arn:aws:iam::111122223333:role/runner';
    const policies = [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`)];
    const ec2 = {
      Effect: 'Allow' as const,
      Principal: { Service: 'ec2.amazonaws.com' },
      Action: 'sts:AssumeRole',
    };
    world.aws.iam.createRole({
      arn: role,
      trustPolicy: { Version: '2012-10-17', Statement: [ec2] },
      policies,
    });
    world.aws.metadata.set({ account: ACCOUNT, region: REGION, roleArn: role });
    put(1);
    const env = { ...world.aws.environment({ metadata: true }), RUNNER_ENVIRONMENT: 'self-hosted' };
    const job = stage.job({ env });
    const main = await job.uses({ with: { keys: '/ci/key-0' } });
    expect(told(main).text).toBe('');
    expect(world.aws.calls.at(-1)).toMatchObject({
      operation: 'ssm:GetParameter',
      region: REGION,
      roleArn: role,
    });
  });

  it.each<[string, number, readonly number[]]>([
    ['one key', 1, [1, 1]],
    ['25 keys', 25, [2, 3]],
  ])('for %s: at connections that are all opened while GitHub makes the token', async (_, count, opened) => {
    await world.stop();
    world = await startReadyWorld({ tls: true });
    const port = Number(new URL(world.aws.endpoint).port);
    const [sts, ssm] = [await TcpRelay.start(port), await TcpRelay.start(port)];
    const env = {
      ...world.jobEnvironment(),
      AWS_ENDPOINT_URL_STS: `https://127.0.0.1:${sts.port}`,
      AWS_ENDPOINT_URL_SSM: `https://127.0.0.1:${ssm.port}`,
    };
    const keys = put(count).join('\n');
    const inputs = { keys, 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    world.aws.faults.order({ operation: 'oidc:token', fault: 'hang', times: 1 });
    const once = { ...inputs, 'timeout-seconds': '3', 'max-attempts': '1' };
    expect(told(await stage.job({ env }).uses({ with: once })).code).toBe('TIMEOUT');
    expect(world.aws.calls.map(({ operation }) => operation)).toEqual(['oidc:token']);
    expect([sts.connections, ssm.connections]).toEqual(opened);
    expect([sts, ssm].map(({ bytes, connections }) => bytes > 1000 * connections)).toEqual([true, true]);
    // The requests open no other connections.
    expect(told(await stage.job({ env }).uses({ with: inputs })).text).toBe('');
    expect([sts.connections, ssm.connections]).toEqual(opened.map((connections) => 2 * connections));
    for (const relay of [sts, ssm]) relay.close();
  });

  it('over HTTPS only by those who trust its certificate, by NODE_EXTRA_CA_CERTS or AWS_CA_BUNDLE', async () => {
    await world.stop();
    world = await startReadyWorld({ tls: true });
    const { NODE_EXTRA_CA_CERTS: trusted = '', AWS_CA_BUNDLE: bundle = '', ...env } = world.jobEnvironment();
    expect([trusted, bundle]).not.toContain('');
    put(1);
    const inputs = {
      keys: '/ci/key-0',
      'aws-region': REGION,
      'role-to-assume': ROLE_ARN,
      'max-attempts': '1',
    };
    const trusting = await stage
      .job({ env: { ...env, NODE_EXTRA_CA_CERTS: trusted } })
      .uses({ with: inputs });
    expect(told(trusting).text).toBe('');
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token, ...rest } = env;
    expect([typeof url, typeof token]).toEqual(['string', 'string']);
    const credentials = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };
    const others = await createCertificates();
    const load = async (more: Record<string, string>): Promise<ReturnType<typeof told>> =>
      told(
        await stage
          .job({ env: { ...rest, ...credentials, ...more } })
          .uses({ with: { ...inputs, 'role-to-assume': '' } }),
      );
    // It answers, that it does not know the key.
    expect((await load({ AWS_CA_BUNDLE: bundle })).text).toContain(
      'security token included in the request is invalid',
    );
    for (const wary of [
      await load({}),
      await load({ NODE_EXTRA_CA_CERTS: trusted, AWS_CA_BUNDLE: others.caFile }),
    ]) {
      expect(wary.code).toBe('NETWORK_UNREACHABLE');
      expect(wary.text).toMatch(/AWS_CA_BUNDLE, or to NODE_EXTRA_CA_CERTS/);
    }
    const missing = await load({ AWS_CA_BUNDLE: '/nowhere/ca.pem' });
    expect(missing.code).toBe('INPUT_INVALID');
    expect(missing.text).toMatch(
      /\/nowhere\/ca\.pem, which AWS_CA_BUNDLE names, cannot be read \(ENOENT\)\nhint: point AWS_CA_BUNDLE/,
    );
    await others.remove();
  });
});
