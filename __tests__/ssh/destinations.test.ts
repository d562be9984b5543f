/** Restricted keys with the real ssh and two real sshd: the agent refuses hosts that are not named. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parseCertificate } from '../../src/keys/certificate.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { addKeys, removeAllKeys } from '../../src/ssh/agent-keys.ts';
import { hostKeysFor } from '../../src/ssh/host-keys.ts';
import { startRealAgent, type RealAgent } from '../support/agents.ts';
import { certify } from '../support/keygen.ts';
import { startLoginHost, type LoginHost } from '../support/login-host.ts';
import { describeWith } from '../support/needs.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';

describeWith('sshd')('a key that is restricted to hosts', () => {
  let agent: RealAgent;
  let key: SshKey;
  let hosts: readonly [LoginHost, LoginHost];
  const { signal } = new AbortController();

  beforeAll(async () => {
    agent = startRealAgent();
    key = await makeSshKey();
    hosts = await Promise.all([startLoginHost(key.publicKey), startLoginHost(key.publicKey)]);
    writeFileSync(join(agent.folder, 'known_hosts'), hosts.map(({ knownHosts }) => knownHosts).join(''));
    writeFileSync(join(agent.folder, 'key.pub'), `${key.publicKey}\n`);
  });
  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.stop()));
    agent.stop();
  });

  /** Like the action, with the known_hosts lines of each host. */
  async function restrictTo(allowed: readonly LoginHost[], certificate?: string): Promise<void> {
    await removeAllKeys(agent, { signal });
    const parsed = parsePrivateKey(key.privateKey, '/ci/key');
    const known = hosts.map(({ knownHosts }) => knownHosts).join('');
    const destinations = allowed.map(({ port }) => {
      const host = `[127.0.0.1]:${port}`;
      return { host, keys: hostKeysFor(host, known) };
    });
    const { publicKey } = parsed;
    const proof =
      certificate && parseCertificate(certificate, '/ci/cert', { publicKey, resource: '/ci/key' });
    const added = { ...parsed, resource: '/ci/key', destinations, ...(proof && { certificate: proof }) };
    await addKeys(agent, [added], { lifetime: 60, signal });
  }

  /** The output of the host's shell, or the reason of the refusal. */
  async function login({ port, user }: LoginHost): Promise<string> {
    const options = ['UserKnownHostsFile=known_hosts', 'IdentitiesOnly=yes', 'IdentityFile=key.pub'];
    const args = ['-F', '/dev/null', ...options.flatMap((option) => ['-o', option])];
    return await new Promise((resolve) => {
      const env = { ...process.env, SSH_AUTH_SOCK: agent.socket };
      const child = spawn('ssh', [...args, '-p', String(port), `${user}@127.0.0.1`, 'echo let in'], {
        env,
        cwd: agent.folder,
        stdio: 'pipe',
      });
      let said = '';
      for (const end of [child.stdout, child.stderr])
        end.on('data', (text: Buffer) => (said += text.toString()));
      child.on('close', () => {
        resolve(said);
      });
    });
  }

  it('works there, and at no other host', async () => {
    const [one, other] = hosts;
    await restrictTo([one]);
    expect(await login(one)).toBe('let in\n');
    expect(await login(other)).toContain('Permission denied (publickey');
  });

  it('works at every named host', async () => {
    await restrictTo(hosts);
    expect(await Promise.all(hosts.map(login))).toEqual(['let in\n', 'let in\n']);
  });

  it('is also restricted with a certificate', async () => {
    const [one, other] = hosts;
    await restrictTo([other], certify(key.publicKey, (await makeSshKey()).privateKey));
    expect(agent.run(['ssh-add', '-L']).trim().split('\n').length).toBe(2);
    expect(await login(other)).toBe('let in\n');
    expect(await login(one)).toContain('Permission denied (publickey');
  });
});
