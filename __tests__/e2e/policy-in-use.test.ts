/** The output of `policy`, as the only permission of a role: the action and ssm-ssh work, and without any statement do not. */
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import {
  ACCOUNT,
  allow,
  REGION,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../support/aws/world.ts';
import { Ec2Host, INSTANCE_ROLE } from '../support/ec2-host.ts';
import { itInTurn as it } from '../support/parts.ts';
import { launcher } from './ec2-host.ts';
import { lesserPolicies } from './lesser-policies.ts';
import { repository, told, useStage } from './stage.ts';

const account = { account: ACCOUNT, region: REGION };
const jobRole = `arn:aws:iam::${ACCOUNT}:role/only-the-policy`;

describe('the output of policy, as the only permission', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let hosts: Ec2Host[];

  beforeEach(async () => {
    [world, hosts] = [await startReadyWorld(), []];
    const keyId = world.aws.kms.createKey(account);
    for (const name of ['/ci/one', '/ci/two']) world.put(name, stage.key.privateKey, { keyId });
    for (const name of ['ci/three', 'ci/four'])
      world.putSecret(name, JSON.stringify({ key: stage.key.privateKey }), { keyId });
  });
  afterEach(async () => {
    for (const host of hosts) host.dispose();
    await world.stop();
  });

  const openHost = (): Ec2Host => {
    const host = new Ec2Host(world, [stage.host]);
    host.configure([]);
    hosts.push(host);
    return host;
  };

  async function policyOf(...references: readonly string[]): Promise<PolicyDocument> {
    const { iam } = world.aws;
    const policies = [allow(['ssm:DescribeParameters', 'secretsmanager:DescribeSecret'], '*')];
    const credentials = iam.createAccessKey({ userArn: `arn:aws:iam::${ACCOUNT}:user/looks`, policies });
    const env = { ...world.aws.environment({ credentials }), AWS_REGION: REGION };
    const { stdout, stderr, code } = await openHost().run(`${launcher} policy ${references.join(' ')}`, env);
    expect([stderr, code]).toEqual(['', 0]);
    return parsePolicy(stdout, 'permission');
  }

  /** @returns what the action or git said where it failed; empty if the clone is there */
  async function clonedByJob(keys: string, document: PolicyDocument): Promise<string> {
    world.aws.iam.createRole({ arn: jobRole, trustPolicy: trustGitHub(), policies: [document] });
    const job = stage.job({ env: world.jobEnvironment() });
    const inputs = { keys, 'aws-region': REGION, 'role-to-assume': jobRole };
    const main = await job.uses({ with: { ...inputs, 'known-hosts': stage.host.knownHosts } });
    if (main.outcome !== 'success') return `${told(main).code}: ${told(main).text}`;
    const { outcome, log } = await job.run(`git clone --quiet ${stage.host.url(repository)} lib`);
    return outcome === 'success' ? '' : log;
  }

  async function clonedByHost(reference: string, document: PolicyDocument): Promise<string> {
    const Service = 'ec2.amazonaws.com';
    const Statement = [{ Effect: 'Allow' as const, Principal: { Service }, Action: 'sts:AssumeRole' }];
    const trustPolicy = { Version: '2012-10-17' as const, Statement };
    world.aws.iam.createRole({ arn: INSTANCE_ROLE, trustPolicy, policies: [document] });
    world.aws.metadata.set({ ...account, roleArn: INSTANCE_ROLE });
    const clone = `git clone --quiet ${stage.host.url(repository)} lib`;
    const { code, stderr } = await openHost().run(clone, { SSM_SSH_KEY: reference });
    return code === 0 ? '' : stderr;
  }

  it.each([
    ['one parameter', ['/ci/one']],
    ['parameters', ['/ci/one', '/ci/two']],
    ['a secret', ['secretsmanager:ci/three:key']],
    ['all of them', ['/ci/one', '/ci/two', 'secretsmanager:ci/three:key', 'secretsmanager:ci/four:key']],
  ])('is enough for the action to read %s, and needs each statement', async (_, references) => {
    const policy = await policyOf(...references);
    const keys = references.join('\n');
    expect(await clonedByJob(keys, policy)).toBe('');
    for (const [left, document] of lesserPolicies(policy)) {
      const said = expect.stringMatching(/^K(EY|MS)_ACCESS_DENIED: /);
      expect([left, await clonedByJob(keys, document)]).toEqual([left, said]);
    }
  });

  it.each([['/ci/one'], ['secretsmanager:ci/three:key']])(
    'is enough for ssm-ssh to clone with %s, and needs each statement',
    async (reference) => {
      const policy = await policyOf(reference);
      expect(await clonedByHost(reference, policy)).toBe('');
      for (const [left, document] of lesserPolicies(policy))
        expect([left, await clonedByHost(reference, document)]).toEqual([
          left,
          expect.stringMatching(/^ssm-ssh: K(EY|MS)_ACCESS_DENIED: /m),
        ]);
    },
  );
});
