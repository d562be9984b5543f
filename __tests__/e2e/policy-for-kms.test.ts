/** `policy` for keys in KMS: what it prints is enough, as the only permission, and each statement is needed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import { ACCOUNT, REGION, trustGitHub } from '../support/aws/world.ts';
import { publicKeyOf } from '../support/kms-keys.ts';
import { describeInTurn, itInTurn as it } from '../support/parts.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host } from './ec2-host.ts';
import { writer } from './key-writer.ts';
import { lesserPolicies } from './lesser-policies.ts';
import { openStage, repository, type Stage } from './stage.ts';

const place = { account: ACCOUNT, region: REGION };
let host: Ec2Host;
let keyArn: string;

beforeEach(async () => {
  host = await openEc2Host();
  const { signingKeys } = host.world.aws;
  keyArn = signingKeys.create({ ...place, alias: 'alias/deploy' });
  signingKeys.create({ ...place, alias: 'alias/user-ca', spec: 'ECC_NIST_EDWARDS25519' });
  const { publicKey, privateKey } = await makeSshKey();
  writeFileSync(join(host.folder, 'key.pub'), `${publicKey}\n`);
  writeFileSync(join(host.folder, 'key.pem'), privateKey, { mode: 0o600 });
});
afterEach(async () => {
  expect(host.leftovers()).toEqual([]);
  await host.close();
});

async function policyOf(...args: string[]): Promise<PolicyDocument> {
  const { aws } = host.world;
  const { exitCode, stdout, stderr } = await host.agent(['policy', ...args], { env: writer(host, []) });
  expect([stderr, exitCode]).toEqual(['', 0]);
  // No key in KMS is looked up.
  expect(aws.calls.filter(({ service }) => service === 'kms')).toEqual([]);
  return parsePolicy(stdout, 'permission');
}

/** @returns whether all commands work, without a denied call */
async function work(policy: PolicyDocument, commands: readonly string[][]): Promise<boolean> {
  const { aws } = host.world;
  const env = writer(host, [policy]);
  aws.forgetCalls();
  for (const command of commands) {
    if ((await host.agent(command, { env })).exitCode !== 0) return false;
  }
  return aws.calls.every(({ errorCode }) => !/AccessDenied/.test(errorCode ?? ''));
}

describeInTurn(describe)('policy for a key in KMS', () => {
  it('is enough for public and certify, by alias, id and ARN, and needs each statement', async () => {
    const keys = ['kms:alias/deploy', `kms:${keyArn.replace(/^.*\//, '')}`, keyArn];
    const certify = (ca: string): string[] => ['certify', 'key.pub', '--ca', ca, '--principals', 'web'];
    const commands = [...keys.map((key) => ['public', key]), ...['kms:alias/user-ca', keyArn].map(certify)];
    const policy = await policyOf(...keys, 'new:ed25519 ca=kms:alias/user-ca principals=web');
    expect([policy.Statement].flat()).toHaveLength(2);
    expect(await work(policy, commands)).toBe(true);
    for (const [left, document] of lesserPolicies(policy))
      expect([left, await work(document, commands)]).toEqual([left, false]);
  });

  it('--for write is enough for keygen and put, and needs each statement', async () => {
    const policy = await policyOf('kms:alias/made', 'kms:alias/moved', '--for', 'write');
    const commands = [
      ['keygen', 'kms:alias/made', '--tag', 'team=ci'],
      ['put', 'kms:alias/moved', 'key.pem'],
    ];
    const { signingKeys } = host.world.aws;
    for (const [left, document] of lesserPolicies(policy))
      expect([left, await work(document, commands)]).toEqual([left, false]);
    expect(await work(policy, commands)).toBe(true);
    for (const alias of ['alias/made', 'alias/moved'])
      expect(signingKeys.find(alias, place).state).toBe('Enabled');
  });

  it('is not printed to rotate a key by its ARN, and not with a KMS key that encrypts', async () => {
    for (const args of [
      [keyArn, '--for', 'rotate'],
      ['kms:alias/deploy', '--kms-key-id', 'alias/ci'],
    ]) {
      const { exitCode, stdout, stderr } = await host.agent(['policy', ...args]);
      expect([exitCode, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^ssm-ssh-agent: INPUT_INVALID: .*\nhint: \S/);
    }
  });

  it('by its ARN needs no credentials, and is printed as CloudFormation and as Terraform', async () => {
    const env = { AWS_EC2_METADATA_DISABLED: 'true' };
    for (const format of ['json', 'cloudformation', 'terraform']) {
      const { exitCode, stdout } = await host.agent(['policy', keyArn, '--format', format], { env });
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining(keyArn)]);
    }
    const offline = ['--account-id', ACCOUNT, '--region', REGION, '--format', 'terraform'];
    const { stdout } = await host.agent(['policy', 'kms:alias/deploy', ...offline], { env });
    expect(stdout).toContain('variable = "kms:RequestAlias"');
  });
});

describeInTurn(describe)('policy for a job with keys in KMS', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage();
    const publicKey = publicKeyOf(host.world.aws.signingKeys.get(keyArn));
    stage.host.addDeployKey({ repository, publicKey });
  });
  afterEach(async () => {
    await stage.close();
  });

  it('is enough for the action, and needs each statement', async () => {
    const there = `${stage.host.address}:${String(stage.host.port)}`;
    const lines = [
      `${keyArn} ${there}/${repository}`,
      `new:ed25519 ca=kms:alias/user-ca principals=web ${there}/acme/other`,
    ];
    const policy = await policyOf(...lines);
    const { aws, jobEnvironment } = host.world;
    const uses = async (document: PolicyDocument, name: string): Promise<boolean> => {
      const arn = `arn:aws:iam::${ACCOUNT}:role/${name}`;
      aws.iam.createRole({ arn, trustPolicy: trustGitHub(), policies: [document] });
      aws.forgetCalls();
      const job = stage.job({ env: jobEnvironment() });
      const inputs = { keys: lines.join('\n'), 'aws-region': REGION, 'role-to-assume': arn };
      const main = await job.uses({ with: { ...inputs, 'known-hosts': stage.host.knownHosts } });
      const { exitCode } = await job.run(`git ls-remote ${stage.host.url(repository)} main`);
      await job.finish();
      return main.outcome === 'success' && exitCode === 0 && aws.calls.every(({ errorCode }) => !errorCode);
    };
    expect(await uses(policy, 'whole')).toBe(true);
    for (const [index, [left, document]] of lesserPolicies(policy).entries())
      expect([left, await uses(document, `lesser-${String(index)}`)]).toEqual([left, false]);
  });
});
