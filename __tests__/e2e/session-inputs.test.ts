/** Tags and managed policies of the last role's session, as AWS sees them. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
import type { Call, PolicyDocument } from '../support/aws/local-aws.ts';
import type { StepResult } from '../support/runner/job.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

const hub = `arn:aws:iam::${ACCOUNT}:role/hub`;
const reader = `arn:aws:iam::${ACCOUNT}:role/reader`;
const ownKeys = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/\${aws:PrincipalTag/Repository}/*`;
const passOn = (role: string): PolicyDocument => allow(['sts:AssumeRole', 'sts:TagSession'], role);

function trust(principal: string, Action: string | string[]): PolicyDocument {
  const statement = { Effect: 'Allow', Principal: { AWS: principal }, Action } as const;
  return { Version: '2012-10-17', Statement: [statement] };
}

describe("the last role's session", () => {
  const stage = useStage();
  let world: ReadyWorld;

  beforeEach(async () => {
    world = await startReadyWorld();
    for (const name of ['lib', 'app']) world.put(`/ci/${name}/key`, stage.key.privateKey);
    const { iam } = world.aws;
    iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies: [passOn(hub), passOn(reader)] });
    iam.createRole({
      arn: hub,
      trustPolicy: trust(ROLE_ARN, ['sts:AssumeRole', 'sts:TagSession']),
      policies: [passOn(reader)],
    });
    read(hub);
  });
  afterEach(async () => {
    await world.stop();
  });

  const read = (trusted: string, actions = ['sts:AssumeRole', 'sts:TagSession']): void => {
    const policies = [allow('ssm:GetParameter', ownKeys)];
    world.aws.iam.createRole({ arn: reader, trustPolicy: trust(trusted, actions), policies });
  };
  const load = async (
    more: Record<string, string> = {},
    env: Record<string, string> = world.jobEnvironment(),
  ): Promise<StepResult> => {
    const chain = [ROLE_ARN, hub, reader].join('\n');
    const inputs = { keys: '/ci/lib/key', 'aws-region': REGION, 'role-to-assume': chain };
    return await stage.job({ env }).uses({ with: { ...inputs, ...more } });
  };
  const assumed = (): Call[] => world.aws.calls.filter(({ operation }) => operation.startsWith('sts:Assume'));
  const sent = (prefix: string): (readonly unknown[])[] =>
    assumed().map(({ parameters }) =>
      Object.entries(parameters).flatMap(([name, value]) => (name.startsWith(prefix) ? [value] : [])),
    );
  const tags = (repository: string): Record<string, string> => ({
    'custom-tags': JSON.stringify({ Repository: repository, Team: 'build' }),
  });

  it('reads the keys of its tag alone, where the policy of the role says so', async () => {
    expect(told(await load(tags('lib'))).text).toBe('');
    expect(told(await load({ ...tags('lib'), keys: '/ci/app/key' })).code).toBe('KEY_ACCESS_DENIED');
    expect(told(await load()).code).toBe('KEY_ACCESS_DENIED');
  });

  it('has the tags, and the roles before it have those alone that are transitive', async () => {
    await load(tags('lib'));
    expect(sent('Tags.')).toEqual([[], [], ['Repository', 'lib', 'Team', 'build']]);
    world.aws.forgetCalls();
    const main = await load({ ...tags('lib'), 'transitive-tag-keys': 'Repository' });
    expect(told(main).text).toBe('');
    expect(sent('Tags.')).toEqual([[], ['Repository', 'lib'], ['Team', 'build']]);
    expect(sent('TransitiveTagKeys.')).toEqual([[], ['Repository'], []]);
  });

  it('has tags where credentials of the environment assume the role', async () => {
    const userArn = `arn:aws:iam::${ACCOUNT}:user/runner`;
    const credentials = world.aws.iam.createAccessKey({ userArn, policies: [passOn(reader)] });
    read(userArn);
    const main = await load(
      { ...tags('lib'), 'role-to-assume': reader },
      world.aws.environment({ credentials }),
    );
    expect(told(main).text).toBe('');
    expect(sent('Tags.')).toEqual([['Repository', 'lib', 'Team', 'build']]);
  });

  it('is refused without sts:TagSession, and the statements of the hint are what is missing', async () => {
    read(hub, ['sts:AssumeRole']);
    const { code, text } = told(await load(tags('lib')));
    expect(code).toBe('ASSUME_ROLE_DENIED');
    expect(text).toContain('is not authorized to perform: sts:TagSession');
    const [, statement = '', permission = ''] =
      /let the trust policy of \S+ say (\{.*\}), and the policy of \S+ (\{.*\})$/.exec(text) ?? [];
    const Action = ['sts:AssumeRole', 'sts:TagSession'];
    expect(JSON.parse(permission)).toEqual({ Effect: 'Allow', Action, Resource: reader });
    const Statement = JSON.parse(statement) as PolicyDocument['Statement'];
    world.aws.iam.createRole({
      ...{ arn: reader, trustPolicy: { Version: '2012-10-17', Statement } },
      policies: [allow('ssm:GetParameter', ownKeys)],
    });
    expect(told(await load(tags('lib'))).text).toBe('');
  });

  it('is refused for a tag that the credentials hand on already, with what to do', async () => {
    const inherited = { tags: { Repository: 'app' }, transitive: ['Repository'] };
    const credentials = world.aws.iam.createSession({ roleArn: hub, tags: inherited });
    const { code, text } = told(
      await load({ ...tags('lib'), 'role-to-assume': reader }, world.aws.environment({ credentials })),
    );
    expect(code).toBe('ASSUME_ROLE_DENIED');
    expect(text).toContain('conflicts with a transitive tag key');
    expect(text).toContain('write another key, or leave it out');
  });

  it('with tags that are too large together is INPUT_INVALID, with their names', async () => {
    const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`k${i}`, 'v'.repeat(200)]));
    const { code, text } = told(await load({ 'custom-tags': JSON.stringify(many) }));
    expect(code).toBe('INPUT_INVALID');
    expect(text).toContain('the input custom-tags is too large together with session-policy');
    const transitive = await load({
      'custom-tags': JSON.stringify(many),
      'transitive-tag-keys': Object.keys(many).join(),
    });
    expect(told(transitive)).toMatchObject({ code: 'ASSUME_ROLE_DENIED' });
    expect(told(transitive).text).toContain('write fewer or shorter tags in custom-tags');
  });

  it('may do what session-policy or a managed policy allows, and no other role gets either', async () => {
    const arn = `arn:aws:iam::${ACCOUNT}:policy/team/reading`;
    world.aws.iam.createPolicy({ arn, document: allow('ssm:GetParameter', '*') });
    const nothing = { 'session-policy': JSON.stringify(allow('s3:GetObject', '*')) };
    expect(told(await load({ ...tags('lib'), ...nothing })).code).toBe('KEY_ACCESS_DENIED');
    world.aws.forgetCalls();
    const main = await load({ ...tags('lib'), ...nothing, 'managed-session-policies': arn });
    expect(told(main).text).toBe('');
    expect(sent('PolicyArns.')).toEqual([[], [], [arn]]);
    world.aws.forgetCalls();
    await load({ ...tags('lib'), 'session-policy': 'none', 'managed-session-policies': arn });
    expect(sent('Policy')).toEqual([[], [], [arn]]);
  });

  it('is limited by a managed policy, with the token alone, too', async () => {
    world.put('/ci/key', stage.key.privateKey);
    const policies = [allow('ssm:GetParameter', '*')];
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
    const arn = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess';
    world.aws.iam.createPolicy({ arn, document: allow('s3:*', '*') });
    const one = { keys: '/ci/key', 'role-to-assume': ROLE_ARN, 'managed-session-policies': arn };
    expect(told(await load(one)).text).toBe('');
    expect(told(await load({ ...one, 'session-policy': 'none' })).code).toBe('KEY_ACCESS_DENIED');
  });

  it('with a managed policy that does not exist says which input names it', async () => {
    const arn = `arn:aws:iam::${ACCOUNT}:policy/gone`;
    const { code, text } = told(await load({ 'managed-session-policies': arn }));
    expect(code).toBe('ASSUME_ROLE_DENIED');
    expect(text).toContain('check managed-session-policies');
  });

  it('is noted with tags and policies for later steps, which reach EC2 hosts by it', async () => {
    const arn = `arn:aws:iam::${ACCOUNT}:policy/hosts`;
    world.aws.iam.createPolicy({ arn, document: allow('ec2:*', '*') });
    const main = await load({ ...tags('lib'), keys: '', 'managed-session-policies': arn });
    expect(told(main).text).toBe('');
    const note = readFileSync(join(dirname(main.paths[0] ?? ''), 'role'), 'utf8');
    expect(JSON.parse(note)).toMatchObject({
      role: {
        managedPolicies: [arn],
        tags: [
          { key: 'Repository', value: 'lib', transitive: false },
          { key: 'Team', value: 'build', transitive: false },
        ],
      },
    });
  });
});
