/** A use of the action with a role and without keys: what main does, what later steps find, and what post leaves. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, allow, REGION, ROLE_ARN, startReadyWorld, trustGitHub } from '../../support/aws/world.ts';
import type { ReadyWorld } from '../../support/aws/world.ts';
import { createJob, type Job } from '../../support/runner/job.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { actionPath, told } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

describe('a role without keys', () => {
  let world: ReadyWorld;
  let job: Job;

  beforeAll(async () => {
    world = await startReadyWorld();
  });
  afterAll(async () => {
    await world.stop();
  });
  beforeEach(() => {
    world.aws.forgetCalls();
  });
  afterEach(() => {
    job.dispose();
  });

  const inputs = { keys: '', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
  const start = (env: Record<string, string> = {}): void => {
    job = createJob({ actionPath, env: { ...world.jobEnvironment(), ...env } });
  };
  const asked = (): string[] => world.aws.calls.map(({ operation }) => operation);

  it('is not assumed by proxy with --role-arn, which counts instead', async () => {
    start();
    await job.uses({ with: inputs });
    world.aws.forgetCalls();
    const proxy = (more: string): string =>
      `ssm-ssh-agent proxy i-0123456789abcdef0 22 ${more} 2>&1 </dev/null || true`;
    const { log } = await job.run(proxy(`--role-arn arn:aws:iam::${ACCOUNT}:role/mine`));
    expect(log).toMatch(/^ssm-ssh-agent: CREDENTIALS_MISSING: /m);
    expect(asked()).not.toContain('sts:AssumeRoleWithWebIdentity');
    await job.run(proxy(''));
    expect(asked()).toContain('sts:AssumeRoleWithWebIdentity');
    await job.finish();
  });

  it('is assumed once, and puts the programs on PATH, without replacing the agent', async () => {
    start({ SSH_AUTH_SOCK: '/run/mine' });
    const main = await job.uses({ with: inputs });
    expect(told(main).text).toBe('');
    expect(asked()).toEqual(['oidc:token', 'sts:AssumeRoleWithWebIdentity']);
    expect(world.aws.calls[1]?.parameters['Policy']).toBe(
      JSON.stringify(allow(['ec2:DescribeInstances', 'ec2:DescribeInstanceConnectEndpoints'], '*')),
    );
    expect(Object.keys(main.env).sort()).toEqual(['GIT_SSH_COMMAND', 'GIT_SSH_VARIANT']);
    expect(main.outputs).toMatchObject({
      ...{ 'ssh-auth-sock': '', 'ssh-agent-pid': '', fingerprints: '[]', 'public-keys': '' },
      ...{ 'aws-account-id': ACCOUNT, 'git-ssh-command': main.env['GIT_SSH_COMMAND'] },
    });
    expect(main.summary).toBe('');
    const later = await job.run(
      'command -v ssm-ssh ssm-ssh-agent; echo "$SSH_AUTH_SOCK"; ssm-ssh-agent --version',
    );
    const bin = main.paths[0] ?? '';
    expect(later.log).toMatch(
      new RegExp(`^${bin}/ssm-ssh\n${bin}/ssm-ssh-agent\n/run/mine\nssm-ssh-agent \\d`),
    );
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ outcome, annotations, env }) => [outcome, annotations, env])).toEqual([
      ['success', [], { GIT_SSH_COMMAND: 'ssh', GIT_SSH_VARIANT: 'ssh' }],
    ]);
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
  });

  it('needs no OpenSSH in the step itself', async () => {
    start({ PATH: '/nowhere' });
    expect(told(await job.uses({ with: inputs })).text).toBe('');
  });

  it('keeps a later step’s own agent and the job’s known hosts for ssh', async () => {
    start();
    await job.uses({ with: inputs });
    const { log } = await job.run(
      `ssm-ssh -G git@github.com; mkdir bin; echo 'echo "agent $SSH_AUTH_SOCK"' >bin/ssh; chmod +x bin/ssh
       PATH=$PWD/bin:$PATH SSH_AUTH_SOCK=/run/later ssm-ssh git@github.com`,
    );
    expect(log).not.toContain('identityagent');
    expect(log).toContain('agent /run/later\n');
    expect(log).toMatch(/userknownhostsfile \S+\/ssm-ssh-agent-[0-9a-f]{8}\/known_hosts /);
  });

  it('is noted for later steps, without a secret, only for this user; also with keys', async () => {
    world.put('/ci/key', (await makeSshKey()).privateKey);
    start();
    for (const keys of ['', '/ci/key']) {
      const main = await job.uses({ with: { ...inputs, keys, 'allowed-account-ids': ACCOUNT } });
      expect(told(main).text).toBe('');
      const file = join(dirname(main.paths[0] ?? ''), 'role');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
        role: {
          ...{
            arn: ROLE_ARN,
            through: [],
            sessionName: expect.stringMatching(/^acme-app-\d+-1$/) as unknown,
          },
          ...{ durationSeconds: 900, audience: 'sts.amazonaws.com', policy: 'auto' },
        },
        ...{ regions: [REGION], environmentRegion: '', allowedAccounts: [ACCOUNT] },
        ...{ maxAttempts: 5, timeoutSeconds: 120 },
      });
    }
  });

  it('that does not trust the job, or is in another account, fails the step, and leaves nothing', async () => {
    const arn = `arn:aws:iam::${ACCOUNT}:role/closed`;
    world.aws.iam.createRole({ arn, trustPolicy: trustGitHub('repo:acme/another:*') });
    start();
    expect(told(await job.uses({ with: { ...inputs, 'role-to-assume': arn } })).code).toBe(
      'ASSUME_ROLE_DENIED',
    );
    const elsewhere = { ...inputs, 'allowed-account-ids': '444455556666' };
    expect(told(await job.uses({ with: elsewhere })).code).toBe('ACCOUNT_NOT_ALLOWED');
    expect(job.files()).toEqual([]);
  });

  it('requires a Region, where the hosts are', async () => {
    start();
    const main = await job.uses({ with: { ...inputs, 'aws-region': '' } });
    expect(told(main).text).toMatch(/REGION_MISSING: no AWS region is known\nhint: set the input aws-region/);
  });

  it('without a role is INPUT_INVALID, with both solutions', async () => {
    start();
    const { text } = told(await job.uses({ with: { ...inputs, 'role-to-assume': '' } }));
    expect(text).toMatch(/INPUT_INVALID: the input keys names no key\nhint: .*role-to-assume/);
  });
});
