/** examples/host-certificate, as systemd starts it: a host signs its keys by its role, sshd reads them, and revokes others. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it as everyIt } from '@jest/globals';
import { startCertifiedHost, type CertifiedHost } from '../support/certified-host.ts';
import { listCertificate } from '../support/keygen.ts';
import { describeWith, itWith } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { launcher, openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { actionPath } from './stage.ts';

const example = join(actionPath, 'examples/host-certificate');
const read = (name: string): string => readFileSync(join(example, name), 'utf8');
const scripts = ['renew-host-certificate', 'revoke-keys'];

describe('the example of host certificates', () => {
  itWith('shellcheck')('has scripts that are clean under shellcheck', () => {
    const { stdout } = spawnSync('shellcheck', scripts, { cwd: example, encoding: 'utf8' });
    expect(stdout).toBe('');
  });

  itWith('systemd-analyze')('has units that systemd accepts', () => {
    const units = ['renew-host-certificate.timer', 'renew-host-certificate.service'];
    const { stderr } = spawnSync('systemd-analyze', ['verify', ...units.map((unit) => join(example, unit))], {
      encoding: 'utf8',
    });
    // The program is not installed on the machine of the tests.
    const problems = stderr
      .split('\n')
      .filter((line) => line !== '' && !/renew-host-certificate is not executable/.test(line));
    expect(problems.filter((line) => line.includes('renew-host-certificate'))).toEqual([]);
  });

  everyIt('names the files of its scripts in the settings of sshd', () => {
    const settings = read('60-certificates.conf');
    for (const type of ['ed25519', 'ecdsa', 'rsa'])
      expect(settings).toContain(`HostCertificate /etc/ssh/ssh_host_${type}_key-cert.pub\n`);
    expect(read('revoke-keys')).toContain('list=/etc/ssh/revoked_keys\n');
    expect(settings).toContain('RevokedKeys /etc/ssh/revoked_keys\n');
    expect(settings).toContain('TrustedUserCAKeys /etc/ssh/user-ca.pub\n');
  });
});

describeWith('sshd')('an instance with the example', () => {
  let machine: Ec2Host;
  let host: CertifiedHost;
  let hostAuthority: SshKey;
  let userAuthority: SshKey;

  beforeAll(async () => {
    [hostAuthority, userAuthority] = await Promise.all([makeSshKey(), makeSshKey()]);
  });
  beforeEach(async () => {
    machine = await openEc2Host();
    machine.world.put('/ci/host-ca', hostAuthority.privateKey);
    machine.world.put('/ci/user-ca', userAuthority.privateKey);
    mkdirSync(place(''), { recursive: true });
    const hostKey = await makeSshKey();
    host = await startCertifiedHost({
      ...{ authorities: [userAuthority.publicKey], principals: ['deploy'], hostKey },
      hostCertificateFile: place('ssh_host_ed25519_key-cert.pub'),
      revokedKeys: place('revoked_keys'),
    });
    writeFileSync(place('ssh_host_ed25519_key.pub'), `${hostKey.publicKey}\n`);
    writeFileSync(place('ssh_host_rsa_key.pub'), `${(await makeSshKey({ type: 'rsa' })).publicKey}\n`);
    writeFileSync(place('user-ca.pub'), `${userAuthority.publicKey}\n`);
    writeFileSync(place('revoked_keys'), '');
    program('systemctl', `echo "$*" >>${machine.folder}/systemctl; kill -HUP ${String(host.pid)}`);
    symlinkSync(launcher, join(machine.folder, 'bin/ssm-ssh-agent'));
  });
  afterEach(async () => {
    await Promise.all([host.stop(), machine.close()]);
  });

  /** The host's own folder stands for /etc/ssh. */
  const place = (name: string): string => join(machine.folder, 'etc-ssh', name);
  const program = (name: string, text: string): void => {
    const path = join(machine.folder, 'bin', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  };
  const install = (name: string): string => {
    const script = join(machine.folder, name);
    writeFileSync(script, read(name).replaceAll('/etc/ssh', place('').replace(/\/$/, '')));
    chmodSync(script, 0o755);
    return script;
  };
  const run = async (
    name: string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
  ): Promise<Ended> => {
    const script = install(name);
    const path = `${join(machine.folder, 'bin')}:${process.env['PATH'] ?? ''}`;
    // A service of systemd has no HOME.
    const command = ['/usr/bin/env', '-u', 'HOME', script, ...args];
    return await machine.start(command, { env: { PATH: path, ...env } }).ended;
  };
  const renew = (env: Record<string, string> = {}): Promise<Ended> =>
    run('renew-host-certificate', [], { CA: '/ci/host-ca', NAMES: 'web-1.example.com,127.0.0.1', ...env });
  /** ssh that knows the authority of hosts alone, with a certificate for users. */
  const login = async (): Promise<Ended> => {
    writeFileSync(join(machine.folder, 'known_hosts'), `@cert-authority * ${hostAuthority.publicKey}\n`);
    const options = ['-F', '/dev/null', '-o', 'BatchMode=yes', '-o', 'IdentityAgent=none'];
    const known = ['-o', `UserKnownHostsFile=${join(machine.folder, 'known_hosts')}`];
    const target = ['-p', String(host.port), `${host.user}@127.0.0.1`, 'echo in'];
    return await machine.start(['ssh', ...options, ...known, '-i', join(machine.folder, 'key'), ...target])
      .ended;
  };
  /** Writes key and key-cert.pub. */
  const makeUser = async (serial: string): Promise<void> => {
    const key = await makeSshKey();
    writeFileSync(join(machine.folder, 'key'), key.privateKey, { mode: 0o600 });
    writeFileSync(join(machine.folder, 'key.pub'), `${key.publicKey}\n`);
    const args = ['key.pub', '--ca', '/ci/user-ca', '--principals', 'deploy', '--serial', serial, '--quiet'];
    writeFileSync(join(machine.folder, 'key-cert.pub'), (await machine.agent(['certify', ...args])).stdout);
  };

  it('is known by its authority after the first run, and gets new certificates by the next', async () => {
    await makeUser('1');
    expect((await login()).stderr).toContain('Host key verification failed');
    const { exitCode, stdout, stderr } = await renew();
    expect([exitCode, stdout]).toEqual([0, '']);
    expect(stderr.match(/signed the host's key/g)).toHaveLength(2);
    expect(readFileSync(join(machine.folder, 'systemctl'), 'utf8')).toBe(
      'try-reload-or-restart ssh.service\n',
    );
    const first = readFileSync(place('ssh_host_ed25519_key-cert.pub'), 'utf8');
    expect(listCertificate(first.trim())).toMatch(/host certificate[^]*web-1\.example\.com\s+127\.0\.0\.1\s/);
    expect(await until(login)).toBe('in\n');
    await renew({ VALID: '1d' });
    expect(readFileSync(place('ssh_host_ed25519_key-cert.pub'), 'utf8')).not.toBe(first);
    expect(await until(login)).toBe('in\n');
    expect(readdirSync(place('')).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('keeps its certificate if a renewal fails, and does not disturb sshd', async () => {
    await renew();
    const first = readFileSync(place('ssh_host_ed25519_key-cert.pub'), 'utf8');
    const { exitCode, stderr } = await renew({ CA: '/ci/none' });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('KEY_NOT_FOUND')]);
    expect(readFileSync(place('ssh_host_ed25519_key-cert.pub'), 'utf8')).toBe(first);
    expect(readFileSync(join(machine.folder, 'systemctl'), 'utf8').split('\n')).toHaveLength(2);
  });

  it('reloads sshd where the unit has the other name', async () => {
    program('systemctl', `[ "$2" = sshd.service ] || { echo "Unit $2 not found." >&2; exit 5; }`);
    const { exitCode, stderr } = await renew();
    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('not found')]);
  });

  it('says so if the host has no keys', async () => {
    for (const type of ['ed25519', 'rsa']) rmSync(place(`ssh_host_${type}_key.pub`));
    const { exitCode, stderr } = await renew();
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('has no key of a host')]);
  });

  it('refuses a certificate whose serial number was revoked, a key, and both after each other', async () => {
    await renew();
    await makeUser('7001');
    expect(await until(login)).toBe('in\n');
    const revoked = await run('revoke-keys', ['--serial', '7001', '7003']);
    expect([revoked.exitCode, revoked.stderr]).toEqual([0, '']);
    expect((await login()).stderr).toContain('Permission denied (publickey)');
    await makeUser('7002');
    expect((await login()).stdout).toBe('in\n');
    await run('revoke-keys', [join(machine.folder, 'key.pub')]);
    expect((await login()).stderr).toContain('Permission denied (publickey)');
    await makeUser('7003');
    expect((await login()).stderr).toContain('Permission denied (publickey)');
    await makeUser('7004');
    expect((await login()).stdout).toBe('in\n');
    expect(readdirSync(place('')).filter((name) => name.startsWith('revoked_keys'))).toEqual([
      'revoked_keys',
    ]);
  });

  it('refuses a revoked serial number by each authority that the host trusts', async () => {
    const { publicKey } = await makeSshKey();
    writeFileSync(place('user-ca.pub'), `# two groups\n${publicKey}\n\n${userAuthority.publicKey}\n`);
    await renew();
    await makeUser('7001');
    expect(await until(login)).toBe('in\n');
    expect(await run('revoke-keys', ['--serial', '7001'])).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await login()).stderr).toContain('Permission denied (publickey)');
    writeFileSync(place('user-ca.pub'), '# none\n');
    const none = await run('revoke-keys', ['--serial', '7002']);
    expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining('user-ca.pub has no key\n')]);
  });

  it('keeps all that is revoked at the same time', async () => {
    const files = await Promise.all(
      Array.from({ length: 6 }, async (_, number) => {
        const file = join(machine.folder, `lost-${String(number)}.pub`);
        writeFileSync(file, `${(await makeSshKey()).publicKey}\n`);
        return file;
      }),
    );
    const script = install('revoke-keys');
    const all = await Promise.all(files.map((file) => machine.start([script, file]).ended));
    expect(all.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(files.map(() => [0, '']));
    const { stdout } = spawnSync('ssh-keygen', ['-Q', '-f', place('revoked_keys'), ...files], {
      encoding: 'utf8',
    });
    expect(stdout.match(/: REVOKED$/gm)).toHaveLength(files.length);
  });

  it('keeps its list if what is to be revoked is no key', async () => {
    await run('revoke-keys', ['--serial', '1']);
    const before = readFileSync(place('revoked_keys'));
    for (const args of [[], ['--serial'], ['--serial', 'x'], [join(machine.folder, 'none.pub')]])
      expect((await run('revoke-keys', args)).exitCode).not.toBe(0);
    expect(readFileSync(place('revoked_keys')).equals(before)).toBe(true);
  });

  /** sshd starts itself anew on SIGHUP, and refuses connections for a moment. */
  const until = async (attempt: () => Promise<Ended>): Promise<string> => {
    for (let left = 20; left > 0; left--) {
      const { stdout, stderr } = await attempt();
      if (!/Connection (refused|reset|closed)|Host key verification failed/.test(stderr))
        return stdout + stderr;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('sshd does not come back');
  };
});
