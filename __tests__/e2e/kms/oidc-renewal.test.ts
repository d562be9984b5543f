/** The session of a job's role ends while the job runs: the agent asks GitHub for another token, and opens the next one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import { ACCOUNT, REGION, startReadyWorld, trustGitHub, type ReadyWorld } from '../../support/aws/world.ts';
import type { LocalAwsOptions } from '../../support/aws/local-aws.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { openStage, told, type Stage } from '../stage.ts';
import { makeKmsKey, maySign } from './kms-keys.ts';

const role = `arn:aws:iam::${ACCOUNT}:role/signing`;

describe('a job whose role session ends', () => {
  let stage: Stage;
  let world: ReadyWorld;

  beforeAll(async () => {
    stage = await openStage();
    await stage.host.createRepository('acme/kms');
  });
  afterEach(() => world.stop());
  afterAll(() => stage.close());

  async function startJob(options: LocalAwsOptions): Promise<ReturnType<Stage['job']>> {
    world = await startReadyWorld(options);
    world.aws.iam.createRole({ arn: role, trustPolicy: trustGitHub(), policies: [maySign] });
    const { publicKey } = makeKmsKey(world, 'deploy');
    stage.host.addDeployKey({ repository: 'acme/kms', publicKey });
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({
      with: {
        keys: `kms:alias/deploy ${stage.host.address}:${String(stage.host.port)}`,
        ...{ 'aws-region': REGION, 'role-to-assume': role, 'known-hosts': stage.host.knownHosts },
      },
    });
    expect(told(main).text).toBe('');
    expect((await job.run(read())).log).toContain('refs/heads/main');
    return job;
  }
  const read = (): string => `git ls-remote ${stage.host.url('acme/kms')} main 2>&1`;
  const called = (name: string): number =>
    world.aws.calls.filter(({ operation, errorCode }) => operation === name && !errorCode).length;
  const policies = (): unknown[] =>
    world.aws.calls.flatMap(({ operation, parameters }) =>
      operation === 'sts:AssumeRoleWithWebIdentity' ? [parameters['Policy']] : [],
    );
  const expired = (): number =>
    world.aws.calls.filter(({ errorCode }) => /ExpiredToken/.test(errorCode ?? '')).length;

  it('signs by the next session, opened with another token and the same narrow policy', async () => {
    const job = await startJob({ sessionSeconds: 4 });
    const before = called('oidc:token');
    await sleep(4_500);
    expect((await job.run(read())).log).toContain('refs/heads/main');
    expect(called('oidc:token')).toBeGreaterThan(before);
    expect(expired()).toBe(0);
    expect([new Set(policies()).size, String(policies()[0])]).toEqual([
      1,
      expect.stringContaining('kms:Sign'),
    ]);
    const { leftoverProcesses } = await job.finish();
    expect(leftoverProcesses).toEqual([]);
  });

  it('signs by the next session if only AWS knows that 15 minutes are over', async () => {
    let ahead = 0;
    const job = await startJob({ clock: () => new Date(Date.now() + ahead) });
    const [tokens, sessions] = [called('oidc:token'), called('sts:AssumeRoleWithWebIdentity')];
    ahead = 16 * 60_000;
    expect((await job.run(read())).log).toContain('refs/heads/main');
    expect(expired()).toBeGreaterThan(0);
    expect([called('oidc:token') - tokens, called('sts:AssumeRoleWithWebIdentity') - sessions]).toEqual([
      1, 1,
    ]);
  });

  it('says why it does not sign if GitHub gives no other token', async () => {
    const job = await startJob({ sessionSeconds: 4 });
    world.aws.faults.order({ operation: 'oidc:token', fault: 'unavailable' });
    await sleep(4_500);
    const { log } = await job.run(`${read()} || true`);
    expect(log).toMatch(/^ssm-ssh: [A-Z_]+: .*\nhint: /m);
    world.aws.faults.clear();
    expect((await job.run(read())).log).toContain('refs/heads/main');
  });
});
