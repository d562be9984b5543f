/** `policy` in dist: what it prints is enough, as the only permission, and each statement is needed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { describeInTurn, itInTurn as it } from '../support/parts.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { startEc2Instance, type Ec2Instance } from '../support/ec2-instance.ts';
import { shellBlocks } from '../support/commands-in-documents.ts';
import { itWhere } from '../support/needs.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host, type Ended, type RunOptions } from './ec2-host.ts';
import { lesserPolicies } from './lesser-policies.ts';
import { actionPath } from './stage.ts';

let host: Ec2Host;
let number = 0;

beforeEach(async () => {
  host = await openEc2Host();
});
afterEach(async () => {
  await host.close();
});

/** The environment of somebody who may do only this. */
function onlyAllowed(policies: readonly PolicyDocument[]): Record<string, string> {
  const { aws } = host.world;
  number += 1;
  const userArn = `arn:aws:iam::${ACCOUNT}:user/only-${String(number)}`;
  const credentials = aws.iam.createAccessKey({ userArn, policies: [...policies] });
  return {
    ...aws.environment({ credentials }),
    AWS_REGION: REGION,
    GIT_SSH_COMMAND: join(actionPath, 'helper/ssm-ssh'),
  };
}

async function policyOf(args: readonly string[], options: RunOptions = {}): Promise<PolicyDocument> {
  const { stdout, exitCode, stderr } = await host.agent(['policy', ...args], options);
  expect([stderr, exitCode]).toEqual(['', 0]);
  return parsePolicy(stdout, 'permission');
}

/** Somebody who looks keys up, to print policies. */
const describer = (): RunOptions => ({
  env: onlyAllowed([allow(['ssm:DescribeParameters', 'secretsmanager:DescribeSecret'], '*')]),
});

/** An action works with the policy alone, and not, or not without a denied call, without one of its statements. */
async function expectExact(policy: PolicyDocument, act: (env: Record<string, string>) => Promise<boolean>) {
  const { aws } = host.world;
  const works = async (document: PolicyDocument): Promise<boolean> => {
    aws.forgetCalls();
    const done = await act(onlyAllowed([document]));
    // Several secrets are then read one by one.
    const isRefused = ({ errorCode, operation }: (typeof aws.calls)[number]): boolean =>
      errorCode !== undefined && operation !== 'secretsmanager:BatchGetSecretValue';
    return done && !aws.calls.some(isRefused);
  };
  expect(await works(policy)).toBe(true);
  for (const [left, document] of lesserPolicies(policy))
    expect([left, await works(document)]).toEqual([left, false]);
}

const done = ({ exitCode }: Ended): boolean => exitCode === 0;

describeInTurn(describe)('a policy that is printed for keys', () => {
  let ofCustomer: string;

  beforeEach(async () => {
    const { privateKey } = await makeSshKey();
    const { aws, put, putSecret } = host.world;
    const place = { account: ACCOUNT, region: REGION };
    ofCustomer = aws.kms.createKey(place);
    aws.kms.createKey({ ...place, alias: 'alias/ci' });
    put('/ci/plain', privateKey, { type: 'String' });
    put('/ci/managed', privateKey);
    put('/ci/customer', privateKey, { keyId: ofCustomer });
    put('/ci/aliased', privateKey, { keyId: 'alias/ci' });
    putSecret('ci/secret', privateKey, { keyId: ofCustomer });
    putSecret('ci/other', privateKey);
  });

  const read = (...references: string[]) => {
    const keys = references.flatMap((text) => ['--key', text]);
    return async (env: Record<string, string>): Promise<boolean> =>
      done(await host.agent(['exec', ...keys, '--', 'ssh-add', '-l'], { env }));
  };

  it.each([
    [['/ci/managed']],
    [['/ci/plain']],
    [['/ci/customer']],
    [['/ci/aliased']],
    [['secretsmanager:ci/secret']],
    [['/ci/managed', '/ci/customer', '/ci/aliased', 'secretsmanager:ci/secret', 'secretsmanager:ci/other']],
  ])('%j is enough for exec, and needs each statement', async (references) => {
    await expectExact(await policyOf(references, describer()), read(...references));
  });

  it('names the key that was looked up, and none where AWS manages the key', async () => {
    const text = JSON.stringify(await policyOf(['/ci/customer', '/ci/managed'], describer()));
    expect(text).toContain(`"Resource":"${ofCustomer}"`);
    expect(text.match(/kms:Decrypt/g)).toHaveLength(1);
  });

  it('is enough without a look-up, and standard error says that the key is not known', async () => {
    const references = ['/ci/customer', 'secretsmanager:ci/secret'];
    const offline = ['--account-id', ACCOUNT, '--region', REGION];
    const { aws } = host.world;
    aws.forgetCalls();
    const { stdout, stderr } = await host.agent(['policy', ...references, ...offline]);
    expect(aws.calls).toEqual([]);
    expect(stderr).toContain('the KMS key of /ci/customer, secretsmanager:ci/secret is not known');
    await expectExact(parsePolicy(stdout, 'permission'), read(...references));
  });

  it('says why a key is not known where the look-up is denied or the parameter is not there', async () => {
    const env = onlyAllowed([]);
    const { stderr, exitCode } = await host.agent(['policy', '/ci/customer'], { env });
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/\/ci\/customer is not known \(User: .* not authorized .*ssm:DescribeParameters/);
    const missing = await host.agent(['policy', '/ci/nowhere'], describer());
    expect(missing.stderr).toContain(`/ci/nowhere is not known (there is none in ${REGION})`);
  });
});

describeInTurn(describe)('a policy that is printed for an EC2 host', () => {
  let instance: Ec2Instance;

  beforeEach(async () => {
    const { aws } = host.world;
    instance = await startEc2Instance(aws, { tags: { Name: 'web-1' } });
    const { instanceId, ports } = instance;
    aws.sessions.connectAgent({
      account: ACCOUNT,
      region: REGION,
      instanceId,
      ports,
      tags: { Name: 'web-1' },
    });
  });
  afterEach(async () => {
    await instance.stop();
  });

  it.each(['id', 'tag'])('by its %s is enough for ssm-ssh, and needs each statement', async (by) => {
    const name = by === 'id' ? instance.instanceId : 'Name=web-1';
    const target = `${instance.user}@${name}`;
    const policy = await policyOf(['--host', target], { env: onlyAllowed([]) });
    const { aws } = host.world;
    await expectExact(policy, async (env) => {
      const home = join(host.folder, `home-${String(number)}`);
      mkdirSync(home);
      const argv = [join(actionPath, 'helper/ssm-ssh'), target, 'echo ready; cat'];
      const options = { env: { ...env, HOME: home }, keepsInput: true };
      const { child, said, ended } = host.start(argv, options);
      const isConnected = (): boolean => said().includes('ready');
      while (child.exitCode === null && child.signalCode === null && !isConnected()) await sleep(50);
      // The host does not hear of ssh's end, so that it cannot end the session first.
      aws.sessions.faults = { drop: { toAgent: 1 } };
      child.kill();
      await ended;
      const flush = [join(actionPath, 'helper/ssm-ssh-agent'), 'flush'];
      await host.start(flush, { env: { ...env, HOME: home } }).ended;
      const isEnding = (): boolean => aws.calls.some(({ operation }) => operation === 'ssm:TerminateSession');
      for (let tries = 0; tries < 600 && isConnected() && !isEnding(); tries++) await sleep(100);
      aws.sessions.faults = {};
      return isConnected();
    });
  });
});

describeInTurn(describe)('policy', () => {
  it('takes the account and the Region from the credentials', async () => {
    const { stdout } = await host.agent(['policy', '/ci/key']);
    expect(stdout).toContain(`arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/key`);
    const trust = await host.agent(['policy', '--trust', 'acme/app', '--branch', 'main']);
    expect(trust.stdout).toContain(`arn:aws:iam::${ACCOUNT}:oidc-provider/`);
    expect(trust.stderr).toBe('');
  });

  const alone = { AWS_EC2_METADATA_DISABLED: 'true', AWS_REGION: REGION };

  it('without credentials says how to work without AWS', async () => {
    const { stdout, stderr, exitCode } = await host.agent(['policy', '/ci/key'], { env: alone });
    expect([stdout, exitCode]).toEqual(['', 1]);
    expect(stderr).toMatch(/^ssm-ssh-agent: CREDENTIALS_MISSING: .*\nhint: pass --account-id 111122223333/);
  });

  it('without credentials uses the account of the ARNs', async () => {
    const arn = 'arn:aws-cn:ssm:cn-north-1:444455556666:parameter/ci/key';
    const { stdout, stderr, exitCode } = await host.agent(['policy', arn], { env: alone });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('arn:aws-cn:kms:cn-north-1:*:key/*')]);
    expect(stderr).toContain('is not known (no AWS credentials');
  });

  it('without a Region asks for one', async () => {
    const env = { AWS_EC2_METADATA_DISABLED: 'true' };
    const { stderr, exitCode } = await host.agent(['policy', '/ci/key', '--account-id', ACCOUNT], { env });
    expect(stderr).toMatch(/REGION_MISSING: .*\nhint: pass --region/);
    expect(exitCode).toBe(2);
  });

  it('prints a trust policy that lets the job in, and a policy for its role', async () => {
    const { aws, put, jobEnvironment } = host.world;
    const { privateKey } = await makeSshKey();
    put('/ci/key', privateKey);
    const policies = [await policyOf(['/ci/key'], describer())];
    const { stdout } = await host.agent(['policy', '--trust', 'acme/app', '--branch', 'main']);
    const arn = `arn:aws:iam::${ACCOUNT}:role/printed`;
    aws.iam.createRole({ arn, trustPolicy: parsePolicy(stdout, 'trust'), policies });
    const audience = 'sts.amazonaws.com';
    const exec = async (immutableSubject: boolean, ref: string): Promise<Ended> => {
      const token = join(host.folder, `token-${String((number += 1))}`);
      writeFileSync(
        token,
        await aws.oidc.issueToken({ repository: 'acme/app', ref, immutableSubject }, audience),
      );
      const identity = { AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: arn };
      const env = { ...jobEnvironment(), ...identity, AWS_REGION: REGION, AWS_EC2_METADATA_DISABLED: 'true' };
      return await host.agent(['exec', '--key', '/ci/key', '--', 'true'], { env });
    };
    expect(await exec(false, 'refs/heads/main')).toMatchObject({ stderr: '', exitCode: 0 });
    expect((await exec(true, 'refs/heads/main')).exitCode).toBe(0);
    expect((await exec(true, 'refs/heads/other')).stderr).toContain('ASSUME_ROLE_DENIED');
  });

  it('uses roles to ask AWS', async () => {
    const reader = 'arn:aws:iam::444455556666:role/reader';
    host.world.aws.iam.createRole({
      arn: reader,
      trustPolicy: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
      },
    });
    const args = ['policy', '/ci/key', '--role-arn', reader];
    const allowed = onlyAllowed([allow('sts:AssumeRole', reader)]);
    expect((await host.agent(args, { env: allowed })).stdout).toContain(':444455556666:parameter/ci/key');
    const refused = await host.agent(args, { env: onlyAllowed([]) });
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('ASSUME_ROLE_DENIED')]);
  });

  it('runs every command of docs/policy.md', async () => {
    const block = shellBlocks.filter(({ document }) => document === 'docs/policy.md');
    const commands = block.flatMap((one) => one.commands);
    expect(commands.length).toBeGreaterThan(5);
    const env = { ...describer().env, PATH: `${join(actionPath, 'helper')}:${process.env['PATH'] ?? ''}` };
    for (const command of commands) {
      const { stderr, exitCode } = await host.start(['sh', '-c', command], { env }).ended;
      expect([command, exitCode, stderr.replace(/^ssm-ssh-agent: warning: .*\n/, '')]).toEqual([
        command,
        0,
        '',
      ]);
    }
  });

  const everything = [
    ...['policy', '/ci/key', 'secretsmanager:ci/deploy', '--host', 'ec2-user@i-0123456789abcdef0'],
    ...['--host', 'root@Name=web-1', '--trust', 'acme/app', '--git-tag', 'v*', '--environment', 'eu: 100%'],
    ...['--account-id', ACCOUNT, '--region', REGION],
  ];
  const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

  itWhere(has('cfn-lint'), 'cfn-lint is missing: pip install cfn-lint')(
    'prints a template that cfn-lint accepts',
    async () => {
      const { stdout } = await host.agent([...everything, '--format', 'cloudformation']);
      const file = join(host.folder, 'template.json');
      writeFileSync(file, stdout);
      const { status, stdout: said } = spawnSync('cfn-lint', [file], { encoding: 'utf8' });
      expect([said, status]).toEqual(['', 0]);
    },
  );

  itWhere(has('terraform'), 'terraform is missing: https://developer.hashicorp.com/terraform/install')(
    'prints Terraform that terraform fmt leaves unchanged',
    async () => {
      const { stdout } = await host.agent([...everything, '--format', 'terraform']);
      const { status, stdout: formatted } = spawnSync('terraform', ['fmt', '-'], {
        input: stdout,
        encoding: 'utf8',
      });
      expect([formatted, status]).toEqual([stdout, 0]);
    },
  );
});
