/** Certificates on a host that end while the key is served: ssm-ssh, a local KMS, real ssh and sshd. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from '@jest/globals';
import { startCertifiedHost, type CertifiedHost } from '../../support/certified-host.ts';
import { installed } from '../../support/needs.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { makeKmsKey, type KmsKey } from './kms-keys.ts';
import { useKmsHost } from './use-kms-host.ts';

const describeWithSshd = installed('sshd') ? describeOnHost : (): undefined => undefined;

describeWithSshd('a certificate on a host', () => {
  const stand = useKmsHost();
  let server: CertifiedHost;
  let authority: KmsKey;

  beforeEach(async () => {
    authority = makeKmsKey(stand.world, 'ca');
    server = await startCertifiedHost({ authorities: [authority.publicKey], principals: ['deploy'] });
    appendFileSync(stand.host.env['SSM_SSH_KNOWN_HOSTS'] ?? '', server.knownHosts);
  });
  afterEach(() => server.stop());

  const configure = (valid: string): void => {
    stand.host.configure([
      `[ssm "127.0.0.1:${String(server.port)}"]`,
      ...['key = new:ed25519', 'ca = kms:alias/ca', 'principals = deploy', `valid = ${valid}`],
    ]);
  };
  const login = (): string =>
    `${stand.host.env['GIT_SSH_COMMAND'] ?? ''} -p ${String(server.port)} ${server.user}@127.0.0.1 echo in`;

  it('is made anew before it ends, without another start of Node', async () => {
    const starts = stand.countStarts();
    configure('6s');
    await stand.succeeds(login());
    const before = starts();
    await sleep(6_500);
    const { stdout } = await stand.succeeds(login());
    expect([stdout, starts()]).toEqual(['in\n', before]);
    const serials = [...server.log().matchAll(/\(serial (\d+)\)/g)].map(([, serial]) => serial);
    expect(new Set(serials).size).toBe(2);
  });

  it('that KMS does not renew is explained, and is made anew by the next connection after that', async () => {
    const { signingKeys } = stand.world.aws;
    configure('4s');
    await stand.succeeds(login());
    signingKeys.setState(authority.arn, 'Disabled');
    await sleep(4_500);
    expect((await stand.host.run(login())).stderr).toMatch(
      /^ssm-ssh: KMS_KEY_UNUSABLE: the KMS key kms:alias\/ca .*\nhint: enable it/,
    );
    expect(stand.fronts()).toHaveLength(1);
    signingKeys.setState(authority.arn, 'Enabled');
    await sleep(1_100);
    expect((await stand.succeeds(login())).stdout).toBe('in\n');
    expect(stand.fronts()).toHaveLength(1);
  });
});
