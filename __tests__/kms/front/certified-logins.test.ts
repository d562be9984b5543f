/** A login by a user certificate of the agent in front, at a real sshd that has a host certificate. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { startCertifiedHost, type CertifiedHost } from '../../support/certified-host.ts';
import { hostsIn, identityFor, startTestFront, type TestFront } from '../../support/front.ts';
import { certify } from '../../support/keygen.ts';
import { memorySigner } from '../../support/memory-signer.ts';
import { describeWith } from '../../support/needs.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';

const [userAuthority, hostAuthority, hostKey] = await Promise.all([
  makeSshKey(),
  makeSshKey({ type: 'rsa' }),
  makeSshKey({ type: 'ecdsa' }),
]);

describeWith('sshd')('a login at a host with a certificate', () => {
  let host: CertifiedHost;
  let front: TestFront;
  afterEach(async () => {
    await Promise.all([host.stop(), front.stop()]);
  });

  /** @param knownToAgent what the agent knows; ssh itself trusts the authority */
  async function login(principal: string, knownToAgent: (name: string) => string) {
    const hostCertificate = certify(hostKey.publicKey, hostAuthority.privateKey, ['-h', '-n', principal]);
    const authorities = [userAuthority.publicKey];
    host = await startCertifiedHost({ authorities, principals: ['deploy'], hostKey, hostCertificate });
    front = await startTestFront();
    const signer = memorySigner('nistp256');
    const line = certify(signer.line, userAuthority.privateKey, ['-n', 'deploy']);
    const name = `[127.0.0.1]:${host.port}`;
    const hosts = () => Promise.resolve(hostsIn(knownToAgent(name), name));
    const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
    front.identities.add({ ...identityFor(signer, { hosts }), blobs: [blob] });
    writeFileSync(join(front.folder, 'known_hosts'), `@cert-authority * ${hostAuthority.publicKey}\n`);
    const options = ['-F', '/dev/null', '-o', 'UserKnownHostsFile=known_hosts', '-o', 'BatchMode=yes'];
    const to = ['-p', String(host.port), `${host.user}@127.0.0.1`, 'echo let in'];
    const { stdout } = await front.run(['ssh', ...options, ...to]);
    return { stdout, name, use: front.log.page(0, 1e6).uses.at(-1) };
  }

  it('works by the authority of the host, whose certificate ssh binds', async () => {
    const known = (name: string): string => `@cert-authority ${name} ${hostAuthority.publicKey}\n`;
    const { stdout, name, use } = await login('127.0.0.1', known);
    expect([stdout, use?.outcome, use?.host, use?.algorithm]).toEqual([
      'let in\n',
      'signed',
      name,
      'ecdsa-sha2-nistp256',
    ]);
  });

  it('works by the key in the certificate, as ssh does with accept-new', async () => {
    const { stdout, use } = await login('127.0.0.1', (name) => `${name} ${hostKey.publicKey}\n`);
    expect([stdout, use?.outcome]).toEqual(['let in\n', 'signed']);
  });

  it('is refused if the agent knows neither the authority nor the key', async () => {
    const { stdout, use } = await login('127.0.0.1', (name) => `${name} ${hostAuthority.publicKey}\n`);
    expect([stdout, use?.outcome]).toEqual(['', 'refused']);
    expect(use?.failure?.message).toContain('a certificate by');
  });
});
