/** Certificates of a job that end while it runs: the built action, a local KMS, real ssh and sshd. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { ACCOUNT, REGION, startReadyWorld, trustGitHub, type ReadyWorld } from '../../support/aws/world.ts';
import { startCertifiedHost, type CertifiedHost } from '../../support/certified-host.ts';
import { certify } from '../../support/keygen.ts';
import { describeWith } from '../../support/needs.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { openStage, told, type Stage } from '../stage.ts';
import { makeKmsKey, maySign, type KmsKey } from './kms-keys.ts';

const role = `arn:aws:iam::${ACCOUNT}:role/signing`;
const [hostAuthority, hostKey] = await Promise.all([makeSshKey(), makeSshKey({ type: 'ecdsa' })]);
const hostCertificate = certify(hostKey.publicKey, hostAuthority.privateKey, ['-h', '-n', '127.0.0.1']);

describeWith('sshd')('a job with certificates', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let host: CertifiedHost;
  let authority: KmsKey;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    world.aws.iam.createRole({ arn: role, trustPolicy: trustGitHub(), policies: [maySign] });
    authority = makeKmsKey(world, 'ca', 'ECC_NIST_P256');
    host = await startCertifiedHost({
      ...{ authorities: [authority.publicKey], principals: ['deploy'], hostKey, hostCertificate },
    });
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop(), host.stop()]);
  });

  const address = (): string => `127.0.0.1:${String(host.port)}`;
  const login = (program = 'ssm-ssh'): string =>
    `${program} -p ${String(host.port)} ${host.user}@127.0.0.1 echo in 2>&1`;
  const inputs = (keys: string, knownHosts = host.knownHosts): Record<string, string> => ({
    ...{ keys, 'aws-region': REGION, 'role-to-assume': role, 'known-hosts': knownHosts },
  });
  const serials = (): string[] =>
    [...host.log().matchAll(/\(serial (\d+)\)/g)].map(([, serial = '']) => serial);

  it('logs in by a new certificate after the first one has ended', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const line = `new:ed25519 ca=kms:alias/ca principals=deploy valid=6s ${address()}`;
    expect(told(await job.uses({ with: inputs(line) })).text).toBe('');
    expect((await job.run(login())).log).toBe('in\n');
    await sleep(6_500);
    expect((await job.run(login())).log).toBe('in\n');
    expect(new Set(serials()).size).toBe(2);
    const { posts, leftoverProcesses } = await job.finish();
    expect([leftoverProcesses, posts[0]?.log.match(/ signed a login as /g)?.length]).toEqual([[], 2]);
  });

  it('lists no certificate that has ended while KMS refuses, says why, and goes on as soon as KMS signs', async () => {
    const { signingKeys } = world.aws;
    const job = stage.job({ env: world.jobEnvironment() });
    const line = `new:ed25519 ca=kms:alias/ca principals=deploy valid=4s ${address()}`;
    expect(told(await job.uses({ with: inputs(line) })).text).toBe('');
    signingKeys.setState(authority.arn, 'Disabled');
    await sleep(4_500);
    const { log } = await job.run(`ssh-add -L 2>&1 || true; ${login()} || true`);
    expect(log).toMatch(
      /^The agent has no identities\.\nssm-ssh: AGENT_FAILED: .*\nhint: .*ssm-ssh-agent log/,
    );
    expect((await job.run('ssm-ssh-agent log')).log).toMatch(
      /new:ed25519: failed to renew the certificate: KMS_KEY_UNUSABLE the KMS key kms:alias\/ca /,
    );
    signingKeys.setState(authority.arn, 'Enabled');
    await sleep(1_100);
    expect((await job.run(`ssh-add -L >/dev/null; ${login()}`)).log).toBe('in\n');
    const { posts } = await job.finish();
    expect(posts[0]?.log).toContain('failed to renew the certificate: KMS_KEY_UNUSABLE');
    expect(posts[0]?.summary).toContain('the renewal of its certificate');
  });

  it('logs in at a host that known-hosts knows by its authority alone, and at no other', async () => {
    const certified = `@cert-authority [127.0.0.1]:${String(host.port)} ${hostAuthority.publicKey}\n`;
    const line = `new:ed25519 ca=kms:alias/ca principals=deploy ${address()}`;
    const job = stage.job({ env: world.jobEnvironment() });
    expect(told(await job.uses({ with: inputs(line, certified) })).text).toBe('');
    expect((await job.run(login())).log).toBe('in\n');
    const stranger = stage.job({ env: world.jobEnvironment() });
    const other = certified.replace(hostAuthority.publicKey, (await makeSshKey()).publicKey);
    await stranger.uses({ with: inputs(line, other) });
    const { log } = await stranger.run(`${login()} || true`);
    expect(log).toContain('Host key verification failed');
    const { posts } = await job.finish();
    expect(posts[0]?.log).toContain(`at [127.0.0.1]:${String(host.port)} by ssh-ed25519`);
  });

  it('lets the certificate run one command, and ends it in time', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const line = `new:ed25519 ca=kms:alias/ca principals=deploy force-command=echo%20forced ${address()}`;
    await job.uses({ with: inputs(line, host.knownHosts) });
    expect((await job.run(login())).log).toBe('forced\n');
    const short = stage.job({ env: world.jobEnvironment() });
    const ending = `new:ed25519 ca=kms:alias/ca principals=deploy valid=15m ${address()}`;
    await short.uses({ with: { ...inputs(ending), 'key-lifetime': '4s' } });
    expect((await short.run(login())).log).toBe('in\n');
    const { log } = await short.run(`ssh-add -L >"$RUNNER_TEMP/c"; ssh-keygen -L -f "$RUNNER_TEMP/c"
      rm "$RUNNER_TEMP/c"; sleep 5; ${login()} || true`);
    const [, from = '', to = ''] = /Valid: from (\S+) to (\S+)/.exec(log) ?? [];
    // Five minutes backdated, and not longer than the key's lifetime.
    expect((Date.parse(to) - Date.parse(from)) / 1000).toBeLessThanOrEqual(305);
    expect(log).toMatch(/^ssm-ssh: AGENT_FAILED: .*\nhint: its lifetime is over/m);
  });
});
