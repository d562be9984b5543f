/** A GitHub App whose private key stays in KMS: in a job, and for git on a host. */
import { createPrivateKey } from 'node:crypto';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, trustGitHub } from '../support/aws/world.ts';
import { itInTurn as it } from '../support/parts.ts';
import { useGitHubStage } from './github-stage.ts';
import { actionPath, told } from './stage.ts';

const place = { account: ACCOUNT, region: REGION };
const roleArn = `arn:aws:iam::${ACCOUNT}:role/app`;
const reading = allow('ssm:GetParameter', '*');
const signing = allow('kms:Sign', `arn:aws:kms:${REGION}:${ACCOUNT}:key/*`);

describe('a GitHub App whose key is in KMS', () => {
  const stage = useGitHubStage();
  let keyArn: string;

  beforeEach(() => {
    const { aws, put } = stage.world;
    keyArn = aws.signingKeys.create({ ...place, privateKey: createPrivateKey(stage.app.privateKey) });
    aws.signingKeys.setAlias(place, 'alias/app', keyArn);
    put('/ci/app-in-kms', stage.app.stored({ private_key: 'kms:alias/app' }));
    setRole([reading, signing]);
    aws.forgetCalls();
  });
  afterEach(() => {
    stage.world.aws.faults.clear();
  });

  const setRole = (policies: readonly PolicyDocument[]): void => {
    stage.world.aws.iam.createRole({ arn: roleArn, trustPolicy: trustGitHub(), policies: [...policies] });
  };
  const inputs = (more: Record<string, string> = {}): Record<string, string> =>
    stage.inputs({
      keys: `/ci/app-in-kms as=github-app ${stage.git.place}/acme/lib`,
      'role-to-assume': roleArn,
      ...more,
    });
  const operations = (): string[] => stage.world.aws.calls.map(({ operation }) => operation);

  it('gives a job a token by one signature, in a session that may only sign with this key', async () => {
    const job = stage.job();
    const main = await job.uses({ with: inputs() });
    expect(told(main).text).toBe('');
    const work = await job.run(`git ls-remote ${stage.git.url('acme/lib')} main`);
    expect(work.log).toMatch(/refs\/heads\/main\n/);
    expect(operations()).toEqual([
      ...['oidc:token', 'sts:AssumeRoleWithWebIdentity', 'ssm:GetParameter'],
      ...['oidc:token', 'sts:AssumeRoleWithWebIdentity', 'kms:Sign'],
    ]);
    const sessions = stage.world.aws.calls.filter(({ operation }) => /AssumeRole/.test(operation));
    const policies = sessions.map(({ parameters }) => JSON.stringify(parameters));
    expect(policies.map((text) => [/kms:Sign/.test(text), /ssm:GetParameter/.test(text)])).toEqual([
      [false, true],
      [true, false],
    ]);
    expect(policies[1]).toContain('alias/app');
    expect(policies[1]).not.toContain('kms:GetPublicKey');
    await job.finish();
    expect(stage.github.tokens.at(-1)?.revoked).toBe(true);
  });

  it('opens no second session for an App with a stored key', async () => {
    const main = await stage.job().uses({ with: { ...inputs(), keys: stage.inputs()['keys'] ?? '' } });
    expect(told(main).text).toBe('');
    expect(operations()).toEqual(['oidc:token', 'sts:AssumeRoleWithWebIdentity', 'ssm:GetParameter']);
  });

  it('says which statement is missing if the role may not sign, and leaves nothing', async () => {
    setRole([reading]);
    const job = stage.job();
    const main = await job.uses({ with: inputs() });
    const { code, text } = told(main);
    expect(code).toBe('KEY_ACCESS_DENIED');
    expect(text).toMatch(
      /signing with the KMS key kms:alias\/app in eu-west-1 is denied: .*\nhint: add to the role's policy: .*"Action":"kms:Sign"/,
    );
    expect([job.files(), job.processes()]).toEqual([[], []]);
  });

  it('needs an RSA key, and says how to move the one that GitHub made', async () => {
    stage.world.aws.signingKeys.setAlias(
      place,
      'alias/app',
      stage.world.aws.signingKeys.create({ ...place, spec: 'ECC_NIST_P256' }),
    );
    const { code, text } = told(await stage.job().uses({ with: inputs() }));
    expect(code).toBe('KEY_UNSUPPORTED');
    expect(text).toMatch(
      /kms:alias\/app cannot sign for a GitHub App, which needs an RSA key\nhint: .*put kms:/,
    );
  });

  it('gives git on a host a token, with the credentials of the host', async () => {
    const { aws } = stage.world;
    const userArn = `arn:aws:iam::${ACCOUNT}:user/host`;
    const credentials = aws.iam.createAccessKey({ userArn, policies: [reading, signing] });
    const job = stage.job({
      ...aws.environment({ credentials }),
      ...{ AWS_REGION: REGION, SSM_SSH_CREDENTIAL: '/ci/app-in-kms' },
      ...{ SSM_SSH_CREDENTIAL_HOST: stage.git.place },
    });
    const helper = `${actionPath}/helper/git-credential-ssm`;
    const { log } = await job.run(
      `git -c credential.helper='!${helper}' -c credential.useHttpPath=true ls-remote ${stage.git.url('acme/lib')} main`,
    );
    expect(log).toMatch(/refs\/heads\/main\n/);
    expect(operations()).toEqual(['ssm:GetParameter', 'kms:Sign']);
  });
});
