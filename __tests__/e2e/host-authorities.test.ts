/** `@cert-authority` lines: a host with a certificate of certify is known to jobs and hosts, without a line for its own key. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { REGION, ROLE_ARN } from '../support/aws/world.ts';
import { startCertifiedHost, type CertifiedHost } from '../support/certified-host.ts';
import { describeWith } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';
import { createJob, type Job } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { actionPath, told } from './stage.ts';

describeWith('sshd')('a host with a certificate', () => {
  let machine: Ec2Host;
  let userAuthority: SshKey;
  let hostAuthority: SshKey;
  /** Names 127.0.0.1; another name; 127.0.0.1, but has ended. */
  let hosts: Record<'right' | 'misnamed' | 'ended', CertifiedHost>;
  const jobs: Job[] = [];

  const certify = async (key: SshKey, args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await machine.agent(['certify', '-', '--quiet', ...args], {
      input: key.publicKey,
    });
    expect(stderr).toBe('');
    return stdout;
  };
  const startHost = async (principals: string, valid: string): Promise<CertifiedHost> => {
    const hostKey = await makeSshKey({ type: 'ecdsa' });
    const args = ['--host', '--ca', '/ci/host-ca', '--principals', principals, '--valid', valid];
    return await startCertifiedHost({
      ...{ authorities: [userAuthority.publicKey], principals: ['deploy'], hostKey },
      hostCertificate: await certify(hostKey, args),
    });
  };

  beforeAll(async () => {
    const [key, ...authorities] = await Promise.all([
      makeSshKey(),
      makeSshKey(),
      makeSshKey({ type: 'rsa' }),
    ]);
    [userAuthority, hostAuthority] = authorities;
    machine = await openEc2Host();
    machine.world.put('/ci/user-ca', userAuthority.privateKey);
    machine.world.put('/ci/host-ca', hostAuthority.privateKey);
    machine.world.put('/ci/deploy-key', key.privateKey);
    const certificate = await certify(key, [
      '--ca',
      '/ci/user-ca',
      '--principals',
      'deploy',
      '--valid',
      '1h',
    ]);
    machine.world.put('/ci/certificate', certificate);
    hosts = {
      right: await startHost('web-1.example.com,127.0.0.1', '1h'),
      misnamed: await startHost('web-1.example.com', '1h'),
      ended: await startHost('127.0.0.1', '1s'),
    };
  });
  afterAll(async () => {
    for (const job of jobs) job.dispose();
    await Promise.all([machine.close(), ...Object.values(hosts).map((host) => host.stop())]);
  });

  const authorityLine = (names = '127.0.0.1,[127.0.0.1]:*'): string =>
    `@cert-authority ${names} ${hostAuthority.publicKey}\n`;
  const command = ({ port, user }: CertifiedHost): string =>
    `ssm-ssh -p ${String(port)} ${user}@127.0.0.1 echo in`;
  const inJob = async (
    host: CertifiedHost,
    knownHosts: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const job = createJob({ actionPath, env: machine.world.jobEnvironment() });
    jobs.push(job);
    const main = await job.uses({
      with: {
        keys: `/ci/deploy-key certificate=/ci/certificate 127.0.0.1:${String(host.port)}`,
        ...{ 'aws-region': REGION, 'role-to-assume': ROLE_ARN, 'known-hosts': knownHosts, ...more },
      },
    });
    expect(told(main).text).toBe('');
    const { log } = await job.run(`${command(host)} 2>&1 || true`);
    await job.finish();
    return log;
  };

  it.each([['false'], ['true']])('is known to a job, with restrict-to-hosts: %s', async (restrict) => {
    const { right } = hosts;
    const names = `127.0.0.1,[127.0.0.1]:${String(right.port)}`;
    const log = await inJob(right, authorityLine(names), { 'restrict-to-hosts': restrict });
    expect(log).toMatch(/^in$/m);
    expect(log).not.toContain('Permanently added');
  });

  it('is not known by another authority, another name, or after its certificate ended', async () => {
    const stranger = await makeSshKey();
    const others = `@cert-authority * ${stranger.publicKey}\n`;
    expect(await inJob(hosts.right, others)).toContain('Host key verification failed');
    const misnamed = await inJob(hosts.misnamed, authorityLine());
    expect(misnamed).toContain('Host key verification failed');
    expect(misnamed).toMatch(/name is not a listed principal/);
    expect(await inJob(hosts.ended, authorityLine())).toMatch(
      /Certificate invalid: expired[^]*Host key verification failed/,
    );
  });

  it('is refused if its authority, or its own key, is revoked', async () => {
    const { right } = hosts;
    for (const key of [hostAuthority, right.hostKey]) {
      const log = await inJob(right, `${authorityLine()}@revoked * ${key.publicKey}\n`);
      expect(log).toMatch(/REVOKED HOST KEY|Host key verification failed/);
      expect(log).not.toMatch(/^in$/m);
    }
  });

  it('is known to ssm-ssh on a host by its file of known hosts', async () => {
    const { right } = hosts;
    const file = join(machine.folder, 'known_hosts');
    writeFileSync(file, authorityLine());
    const run = async (knownHosts: string): Promise<Ended> =>
      await machine.start(['sh', '-c', command(right)], {
        env: {
          ...{
            SSM_SSH_KEY: '/ci/deploy-key',
            SSM_SSH_CERTIFICATE: '/ci/certificate',
            SSM_SSH_REGION: REGION,
          },
          SSM_SSH_KNOWN_HOSTS: knownHosts,
          PATH: `${join(actionPath, 'helper')}:${process.env['PATH'] ?? ''}`,
        },
      }).ended;
    try {
      const { stdout, stderr } = await run(file);
      expect([stderr, stdout]).toEqual(['', 'in\n']);
      writeFileSync(`${file}-other`, `@cert-authority *.example.com ${hostAuthority.publicKey}\n`);
      expect((await run(`${file}-other`)).stderr).toContain('Host key verification failed');
    } finally {
      await machine.agent(['flush']);
    }
  });
});
