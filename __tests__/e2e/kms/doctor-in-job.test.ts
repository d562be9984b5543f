/** `doctor` and `explain` as steps of a job whose keys our agent signs with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { ACCOUNT, REGION, startReadyWorld, trustGitHub, type ReadyWorld } from '../../support/aws/world.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { describeInTurn, itInTurn as it } from '../../support/parts.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { named } from '../doctor/prove.ts';
import { agentProgram } from '../doctor/stage.ts';
import { repository, useStage } from '../stage.ts';
import { kmsCalls, makeKmsKey, maySign } from './kms-keys.ts';

describeInTurn(describeOnHost)('in a job with a key in KMS and a certificate', () => {
  const stage = useStage();
  const role = `arn:aws:iam::${ACCOUNT}:role/signing`;
  let world: ReadyWorld;

  beforeAll(async () => {
    world = await startReadyWorld();
    world.aws.iam.createRole({ arn: role, trustPolicy: trustGitHub(), policies: [maySign] });
    const { publicKey } = makeKmsKey(world, 'deploy');
    stage.host.addDeployKey({ repository, publicKey });
    makeKmsKey(world, 'ca', 'ECC_NIST_P256');
  });
  afterAll(async () => {
    await world.stop();
  });

  it('explain names them, and doctor checks them with the role of the job', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const place = `${stage.host.address}:${String(stage.host.port)}`;
    const main = await job.uses({
      with: {
        keys: `kms:alias/deploy ${place}\nnew:ed25519 ca=kms:alias/ca principals=deploy other.example`,
        ...{ 'aws-region': REGION, 'role-to-assume': role, 'known-hosts': stage.host.knownHosts },
      },
    });
    expect(main.outcome).toBe('success');
    const url = stage.host.url(repository);
    const [found, told] = [join(job.temp, 'doctor.json'), join(job.temp, 'explain.json')];
    world.aws.forgetCalls();
    await job.run(`${agentProgram} explain --json ${url} >${told}`);
    expect(world.aws.calls).toEqual([]);
    expect(JSON.parse(readFileSync(told, 'utf8'))).toMatchObject({
      answer: expect.stringMatching(/^kms:alias\/deploy is offered for /) as unknown,
      keys: [{ reference: 'kms:alias/deploy', signing: { privateKey: 'kms', certificate: null } }],
    });
    await job.run(`${agentProgram} doctor --json --url ${url} >${found}`);
    const findings = JSON.parse(readFileSync(found, 'utf8')) as Finding[];
    for (const name of ['deploy', 'ca'])
      expect(named(findings, `sign with kms:alias/${name}`)).toMatchObject({ status: 'ok' });
    expect(named(findings, 'public key kms:alias/ca').detail).toMatch(
      /named by key 2 of keys as the authority/,
    );
    expect(named(findings, `repository ${url}`)).toMatchObject({ status: 'ok' });
    // Two dry runs, and the login by the agent of the job.
    expect(kmsCalls(world).filter((name) => name === 'kms:Sign')).toHaveLength(3);
    await job.finish();
  });
});
