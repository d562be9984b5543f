import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { certify } from '../support/keygen.ts';
import type { Job } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openStage, told, type Stage } from './stage.ts';
import { itWith } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';

const trusted = 'acme/certified';

describe('a key with a certificate', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let authority: SshKey;
  let key: SshKey;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    [authority, key] = await Promise.all([makeSshKey(), makeSshKey()]);
    await stage.host.createRepository(trusted);
    stage.host.addDeployKey({ repository: trusted, publicKey: authority.publicKey, authority: true });
    world.put('/ci/deploy-key', key.privateKey);
    world.put('/ci/other-key', (await makeSshKey()).privateKey);
    put('/ci/certificate', '+1h');
    put('/ci/expired', '20200101:20200102');
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });

  const put = (name: string, validity: string): void => {
    const options = ['-n', 'deploy', '-V', validity];
    world.put(name, certify(key.publicKey, authority.privateKey, options), { type: 'String' });
  };
  const use = async (
    keys: string,
    more: Record<string, string> = {},
  ): Promise<{ job: Job; text: string; log: string }> => {
    const job = stage.job({ env: world.jobEnvironment() });
    const inputs = {
      keys,
      'aws-region': REGION,
      'role-to-assume': ROLE_ARN,
      'known-hosts': stage.host.knownHosts,
    };
    const main = await job.uses({ with: { ...inputs, ...more } });
    return { job, text: told(main).text, log: main.log };
  };
  const clone = (): string => `git clone --quiet ${stage.host.url(trusted)} it && cat it/README.md`;

  for (const restrict of ['false', 'true']) {
    itWith('sshd')(
      `is let in by a host that trusts the authority, with restrict-to-hosts: ${restrict}`,
      async () => {
        const place = `${stage.host.address}:${String(stage.host.port)}`;
        const keys = `/ci/deploy-key certificate=/ci/certificate ${place}/${trusted}`;
        const { job, text } = await use(keys, { 'restrict-to-hosts': restrict });
        expect(text).toBe('');
        expect((await job.run(clone())).log).toContain(`# ${trusted}`);
        const { leftoverProcesses } = await job.finish();
        expect([leftoverProcesses, job.files()]).toEqual([[], []]);
      },
    );
  }

  itWith('sshd')('is in the agent, for programs that ask it by themselves', async () => {
    const { job } = await use('/ci/deploy-key certificate=/ci/certificate');
    const ssh = `GIT_SSH_COMMAND='ssh -F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null' ${clone()}`;
    expect((await job.run(ssh)).log).toContain(`# ${trusted}`);
  });

  it('that has expired is loaded, with a warning of when that was', async () => {
    const { text, log } = await use('/ci/deploy-key certificate=/ci/expired');
    expect(text).toBe('');
    expect(log).toMatch(/the certificate in \/ci\/expired expired at 2020-01-02T/);
    expect(log).not.toContain('plain String'); // A certificate is no secret.
  });

  it('for another key is refused, and nothing is loaded', async () => {
    const { job, text } = await use('/ci/other-key certificate=/ci/certificate');
    expect(text).toMatch(/KEY_MALFORMED: the certificate in \/ci\/certificate is for the key SHA256:/);
    expect([job.processes(), job.files()]).toEqual([[], []]);
  });
});
