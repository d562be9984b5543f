/** Logins at real sshd by keys of the agent in front. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'ssh2';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Limits } from '../../../src/kms/front/identity.ts';
import type { Use } from '../../../src/kms/front/use-log.ts';
import { hostsIn, identityFor, startTestFront, type Ran, type TestFront } from '../../support/front.ts';
import { certify } from '../../support/keygen.ts';
import { startLoginHost, type LoginHost } from '../../support/login-host.ts';
import { memorySigner, type SignerType } from '../../support/memory-signer.ts';
import { describeWith } from '../../support/needs.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';

const types = ['ed25519', 'rsa', 'nistp256', 'nistp384', 'nistp521'] as const satisfies SignerType[];
const signers = Object.fromEntries(types.map((type) => [type, memorySigner(type)])) as Readonly<
  Record<SignerType, ReturnType<typeof memorySigner>>
>;
const { ed25519: usual } = signers;
const [userAuthority, jumpKey] = await Promise.all([makeSshKey(), makeSshKey()]);

describeWith('sshd')('a login', () => {
  let front: TestFront;
  let hosts: readonly [LoginHost, LoginHost];
  let known: string;

  beforeAll(async () => {
    const authorized = [
      ...types.map((type) => signers[type].line),
      jumpKey.publicKey,
      `cert-authority,principals="deploy" ${userAuthority.publicKey}`,
    ].join('\n');
    hosts = await Promise.all([startLoginHost(authorized), startLoginHost(authorized)]);
    known = hosts.map(({ knownHosts }) => knownHosts).join('');
  });
  afterAll(() => Promise.all(hosts.map((host) => host.stop())));
  beforeEach(async () => {
    front = await startTestFront();
    writeFileSync(join(front.folder, 'known_hosts'), known);
  });
  afterEach(() => front.stop());

  const nameOf = ({ port }: LoginHost): string => `[127.0.0.1]:${port}`;
  /** Reads the file at each signature. */
  const only = (...allowed: readonly LoginHost[]): Pick<Limits, 'hosts'> => ({
    hosts: () =>
      Promise.resolve(
        hostsIn(readFileSync(join(front.folder, 'known_hosts'), 'utf8'), ...allowed.map(nameOf)),
      ),
  });

  const sshOptions = ['-F', '/dev/null', '-o', 'UserKnownHostsFile=known_hosts', '-o', 'BatchMode=yes'];
  async function login({ port, user }: LoginHost, ...more: readonly string[]): Promise<Ran> {
    const to = ['-p', String(port), `${user}@127.0.0.1`];
    return await front.run(['ssh', ...sshOptions, ...more, ...to, 'echo let in']);
  }
  const uses = (): readonly Use[] => front.log.page(0, 1e6).uses;
  const lastReason = (): string | undefined => uses().at(-1)?.failure?.message;

  it.each(types)('works with a key of type %s', async (type) => {
    const [host] = hosts;
    front.identities.add(identityFor(signers[type], only(host)));
    expect(await login(host)).toMatchObject({ stdout: 'let in\n' });
    const [algorithm] = signers[type].algorithms;
    expect(uses()).toMatchObject([
      { outcome: 'signed', purpose: 'authentication', host: nameOf(host), user: host.user, algorithm },
    ]);
  });

  it('works with RSA and SHA-256', async () => {
    const [host] = hosts;
    front.identities.add(identityFor(signers.rsa, only(host)));
    await login(host, '-o', 'PubkeyAcceptedAlgorithms=rsa-sha2-256');
    expect(uses()).toMatchObject([{ outcome: 'signed', algorithm: 'rsa-sha2-256' }]);
  });

  it('works with a certificate alone', async () => {
    const [host] = hosts;
    for (const type of ['ed25519', 'rsa', 'nistp256'] as const) {
      const line = certify(signers[type].line, userAuthority.privateKey, ['-n', 'deploy']);
      const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
      front.identities.removeAll();
      front.identities.add({ ...identityFor(signers[type], only(host)), blobs: [blob] });
      expect(await login(host)).toMatchObject({ stdout: 'let in\n' });
    }
    expect(uses().length).toBe(3);
  });

  it('at another host is refused, with the reason in the log', async () => {
    const [host, other] = hosts;
    front.identities.add(identityFor(usual, only(host)));
    const refused = await login(other);
    expect(refused).toMatchObject({ code: 255, stdout: '' });
    expect(refused.stderr).toContain('Permission denied (publickey');
    expect(lastReason()).toContain('is not a known key of a host of this key');
    expect(uses()).toMatchObject([{ outcome: 'refused', user: other.user, hostKey: expect.any(String) }]);
  });

  it('works where known_hosts has hashed names', async () => {
    const [host] = hosts;
    await front.output(['ssh-keygen', '-q', '-H', '-f', 'known_hosts']);
    expect(readFileSync(join(front.folder, 'known_hosts'), 'utf8')).toMatch(/^\|1\|/);
    front.identities.add(identityFor(usual, only(host)));
    expect(await login(host)).toMatchObject({ stdout: 'let in\n' });
  });

  it('works where ssh learns the host key during the connection', async () => {
    const [host] = hosts;
    writeFileSync(join(front.folder, 'known_hosts'), '');
    front.identities.add(identityFor(usual, only(host)));
    expect(await login(host, '-o', 'StrictHostKeyChecking=accept-new')).toMatchObject({ stdout: 'let in\n' });
  });

  it('by a client that names no host is refused, unless unbound=allow', async () => {
    const [host] = hosts;
    front.identities.add(identityFor(usual, only(host)));
    expect(await unboundLogin(host)).toContain('Agent responded with failure');
    expect(lastReason()).toContain('does not name the host');
    front.identities.add(identityFor(usual, { ...only(host), unbound: 'allow' }));
    expect(await unboundLogin(host)).toBe('ready');
    expect(uses().at(-1)).toMatchObject({ outcome: 'signed', user: host.user });
    expect(uses().at(-1)).not.toHaveProperty('host');
  });

  /** The library ssh2 binds no session. */
  async function unboundLogin({ port, user }: LoginHost): Promise<string> {
    const client = new Client();
    return await new Promise((resolve) => {
      client.once('ready', () => {
        client.end();
        resolve('ready');
      });
      client.once('error', (error) => {
        resolve(error.message);
      });
      client.connect({ host: '127.0.0.1', port, username: user, agent: front.socket });
    });
  }

  it('over a forwarded agent is refused, unless forwarding=allow', async () => {
    const [jump, host] = hosts;
    writeFileSync(join(front.folder, 'jump'), jumpKey.privateKey, { mode: 0o600 });
    chmodSync(front.folder, 0o700);
    const inner = `ssh ${sshOptions.join(' ').replace('=known', `=${front.folder}/known`)} -p ${host.port} ${host.user}@127.0.0.1 echo let in`;
    const forwarded = async (): Promise<string> => {
      const through = ['-A', '-o', 'IdentitiesOnly=yes', '-i', 'jump', '-p', String(jump.port)];
      return (await front.run(['ssh', ...sshOptions, ...through, `${jump.user}@127.0.0.1`, inner])).stdout;
    };
    front.identities.add(identityFor(usual, only(jump, host)));
    expect(await forwarded()).toBe('');
    expect(lastReason()).toBe('the request comes through a forwarded agent');
    front.identities.add(identityFor(usual, { ...only(host), forwarding: 'allow' }));
    expect(await forwarded()).toBe('let in\n');
    expect(uses().at(-1)).toMatchObject({ outcome: 'signed', host: nameOf(host) });
    front.identities.add(identityFor(usual, { ...only(jump), forwarding: 'allow' }));
    expect(await forwarded()).toBe('');
    expect(lastReason()).toContain('is not a known key');
  });

  it('by a key of the agent behind still works, restricted to hosts, too', async () => {
    const [host, other] = hosts;
    const options = { input: jumpKey.privateKey, cwd: front.folder };
    front.back.run(['ssh-add', '-q', '-H', 'known_hosts', '-h', nameOf(host), '-'], options);
    expect(await login(host)).toMatchObject({ stdout: 'let in\n' });
    expect(await login(other)).toMatchObject({ stdout: '', code: 255 });
  });

  it('works 50 times at once', async () => {
    const [host] = hosts;
    front.identities.add(identityFor(usual, only(host)));
    const results = await Promise.all(Array.from({ length: 50 }, () => login(host)));
    expect(new Set(results.map(({ stdout }) => stdout))).toEqual(new Set(['let in\n']));
    expect(uses().length).toBe(50);
  });
});
