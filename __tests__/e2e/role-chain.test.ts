import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import {
  ACCOUNT,
  allow,
  REGION,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../support/aws/world.ts';
import type { Call, PolicyDocument } from '../support/aws/local-aws.ts';
import type { StepResult } from '../support/runner/job.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

const entry = `arn:aws:iam::${ACCOUNT}:role/ci/entry`;
const hub = 'arn:aws:iam::222233334444:role/hub';
const keeper = 'arn:aws:iam::333344445555:role/keeper';
const parameters = 'arn:aws:ssm:*:333344445555:parameter/ci/*';

function trust(principal: string, externalId?: string): PolicyDocument {
  const Condition = externalId ? { Condition: { StringEquals: { 'sts:ExternalId': externalId } } } : {};
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: principal },
    Action: 'sts:AssumeRole',
    ...Condition,
  } as const;
  return { Version: '2012-10-17', Statement: statement };
}

describe('a chain of roles through three accounts', () => {
  const stage = useStage();
  let world: ReadyWorld;

  beforeEach(async () => {
    world = await startReadyWorld();
    const { iam } = world.aws;
    iam.createRole({ arn: entry, trustPolicy: trustGitHub(), policies: [allow('sts:AssumeRole', hub)] });
    iam.createRole({ arn: hub, trustPolicy: trust(entry), policies: [allow('sts:AssumeRole', keeper)] });
    keep();
    world.put('/ci/key', stage.key.privateKey, { account: '333344445555' });
  });
  afterEach(async () => {
    await world.stop();
  });

  const keep = (trustPolicy = trust(hub)): void => {
    const policies = [allow(['ssm:GetParameter', 'ssm:GetParameters'], parameters)];
    world.aws.iam.createRole({ arn: keeper, trustPolicy, policies });
  };
  const load = async (
    more: Record<string, string> = {},
    env: Record<string, string> = world.jobEnvironment(),
  ): Promise<StepResult> => {
    const inputs = {
      keys: '/ci/key',
      'aws-region': REGION,
      'role-to-assume': [entry, hub, keeper].join('\n'),
    };
    return await stage.job({ env }).uses({ with: { ...inputs, ...more } });
  };
  const assumed = (): Call[] => world.aws.calls.filter(({ operation }) => operation.startsWith('sts:Assume'));

  it('is walked once, by the token and then by the role before, and ends where the key is', async () => {
    const main = await load({ 'role-session-name': 'release' });
    expect(told(main).text).toBe('');
    expect(world.aws.calls.map(({ operation, roleArn }) => [operation, roleArn])).toEqual([
      ['oidc:token', undefined],
      ['sts:AssumeRoleWithWebIdentity', undefined],
      ['sts:AssumeRole', entry],
      ['sts:AssumeRole', hub],
      ['ssm:GetParameter', keeper],
    ]);
    expect(assumed().map(({ parameters: asked }) => asked['RoleArn'])).toEqual([entry, hub, keeper]);
    expect(assumed().map(({ parameters: asked }) => asked['RoleSessionName'])).toEqual(
      Array(3).fill('release'),
    );
    expect(main.outputs['aws-account-id']).toBe('333344445555');
  });

  it('is narrowed at its last role alone, to the account of that role', async () => {
    await load();
    const policies = assumed().map(({ parameters: asked }) => asked['Policy']);
    expect(policies.slice(0, 2)).toEqual([undefined, undefined]);
    expect(policies[2]).toContain(`arn:aws:ssm:${REGION}:333344445555:parameter/ci/key`);
  });

  it('lasts as long as asked for at its last role, and no longer than it must before', async () => {
    await load({ 'role-duration-seconds': '3600' });
    expect(assumed().map(({ parameters: asked }) => asked['DurationSeconds'])).toEqual([
      '900',
      '900',
      '3600',
    ]);
  });

  it('passes the external id to its last role alone', async () => {
    keep(trust(hub, 'acme-42'));
    const main = await load({ 'role-external-id': 'acme-42' });
    expect(told(main).text).toBe('');
    expect(assumed().map(({ parameters: asked }) => asked['ExternalId'])).toEqual([
      undefined,
      undefined,
      'acme-42',
    ]);
  });

  it('begins with other credentials where the job has no token', async () => {
    const userArn = `arn:aws:iam::${ACCOUNT}:user/runner`;
    const credentials = world.aws.iam.createAccessKey({ userArn, policies: [allow('sts:AssumeRole', hub)] });
    world.aws.iam.createRole({
      arn: hub,
      trustPolicy: trust(userArn),
      policies: [allow('sts:AssumeRole', keeper)],
    });
    const main = await load(
      { 'role-to-assume': `${hub}, ${keeper}` },
      world.aws.environment({ credentials }),
    );
    expect(told(main).text).toBe('');
    expect(main.log).toContain(`asking for ${hub} with the credentials of AWS_ACCESS_KEY_ID`);
    expect(assumed().map(({ principal }) => principal)).toEqual([
      userArn,
      expect.stringContaining('assumed-role/hub/'),
    ]);
  });

  it('walks on with the token of one request where its keys need several sessions', async () => {
    const names = Array.from({ length: 40 }, (_, i) =>
      `/ci/${'a-long-name/'.repeat(4)}${String(i)}`.padEnd(60, 'x'),
    );
    for (const name of names) world.put(name, stage.key.privateKey, { account: '333344445555' });
    const main = await load({ keys: names.join('\n') });
    expect(told(main).text).toBe('');
    const count = (operation: string, role?: string): number =>
      world.aws.calls.filter((call) => call.operation === operation && call.roleArn === role).length;
    expect([
      count('oidc:token'),
      count('sts:AssumeRoleWithWebIdentity'),
      count('sts:AssumeRole', entry),
    ]).toEqual([1, 1, 1]);
    expect(count('sts:AssumeRole', hub)).toBeGreaterThan(1);
  });

  it.each([
    [hub, 'role 2 of 3', entry],
    [keeper, 'role 3 of 3', hub],
  ])('refused at %s says so, and its hint fixes it', async (role, position, before) => {
    const policies =
      role === hub ? [allow('sts:AssumeRole', keeper)] : [allow('ssm:GetParameter', parameters)];
    world.aws.iam.createRole({
      arn: role,
      trustPolicy: trust(`arn:aws:iam::${ACCOUNT}:role/nobody`),
      policies,
    });
    const failed = await load();
    expect(failed.env).toEqual({});
    const { code, text } = told(failed);
    expect(code).toBe('ASSUME_ROLE_DENIED');
    expect(text).toContain(`AWS STS did not give the role ${role} (${position}): User: `);
    const [, statement = '', permission = ''] =
      /let the trust policy of \S+ say (\{.*\}), and the policy of \S+ (\{.*\})$/.exec(text) ?? [];
    expect(JSON.parse(permission)).toEqual({ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: role });
    expect(text).toContain(`and the policy of ${before} `);
    const Statement = JSON.parse(statement) as PolicyDocument['Statement'];
    world.aws.iam.createRole({ arn: role, trustPolicy: { Version: '2012-10-17', Statement }, policies });
    expect(told(await load()).text).toBe('');
  });

  it('refused for want of the external id has it in its hint', async () => {
    keep(trust(hub, 'acme-42'));
    const { code, text } = told(await load({ 'role-external-id': 'acme-43' }));
    expect(code).toBe('ASSUME_ROLE_DENIED');
    expect(text).toContain('"Condition":{"StringEquals":{"sts:ExternalId":"acme-43"}}');
  });

  it('of more than an hour is INPUT_INVALID, before anything is asked', async () => {
    const { code, text } = told(await load({ 'role-duration-seconds': '3601' }));
    expect(code).toBe('INPUT_INVALID');
    expect(text).toMatch(/role-duration-seconds .* role-to-assume/);
    expect(world.aws.calls).toEqual([]);
  });

  it('with one role and a token takes no external id: INPUT_INVALID, before anything is asked', async () => {
    const { code, text } = told(await load({ 'role-to-assume': entry, 'role-external-id': 'acme-42' }));
    expect(code).toBe('INPUT_INVALID');
    expect(text).toMatch(/role-external-id .* role-to-assume/);
    expect(world.aws.calls).toEqual([]);
  });

  it('is tried no more than max-attempts at each role, and ends with timeout-seconds', async () => {
    world.aws.faults.order({ operation: 'sts:AssumeRole', fault: 'throttling' });
    expect(told(await load({ 'max-attempts': '2' })).code).toBe('THROTTLED');
    expect(assumed().length).toBe(3);
    world.aws.faults.clear();
    world.aws.faults.order({ operation: 'sts:AssumeRole', fault: 'hang' });
    const started = Date.now();
    expect(told(await load({ 'timeout-seconds': '2' })).code).toBe('TIMEOUT');
    expect(Date.now() - started).toBeLessThan(30_000);
  });
});
