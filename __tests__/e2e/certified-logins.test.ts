/** Certificates of certify at a real sshd: whom they let in, for how long, from where, with which command. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { startCertifiedHost, type CertifiedHost } from '../support/certified-host.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { listCertificate } from '../support/keygen.ts';
import { describeWith } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';
import { makeSshKey, type SshKey, type SshKeyOptions } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { writer } from './key-writer.ts';

const types: readonly SshKeyOptions[] = [
  { type: 'ed25519' },
  { type: 'ecdsa', bits: 256 },
  { type: 'ecdsa', bits: 384 },
  { type: 'ecdsa', bits: 521 },
  { type: 'rsa' },
];
/** Type of the authority's key in KMS → KMS's name of it. */
const specs: Readonly<Record<string, string>> = {
  ed25519: 'ECC_NIST_EDWARDS25519',
  ecdsa256: 'ECC_NIST_P256',
  ecdsa384: 'ECC_NIST_P384',
  ecdsa521: 'ECC_NIST_P521',
  rsa: 'RSA_3072',
};
const nameOf = ({ type, bits }: SshKeyOptions): string => `${String(type)}${bits ?? ''}`;

describeWith('sshd')('a host that trusts an authority', () => {
  let machine: Ec2Host;
  let host: CertifiedHost;
  let authorities: SshKey[];
  let env: Record<string, string>;

  beforeAll(async () => {
    machine = await openEc2Host();
    env = writer(machine, [allow(['kms:Sign', 'kms:GetPublicKey', 'ssm:GetParameter'], '*')]);
    const { signingKeys } = machine.world.aws;
    for (const [name, spec] of Object.entries(specs))
      signingKeys.create({ account: ACCOUNT, region: REGION, spec, alias: `alias/ca-${name}` });
    const names = Object.keys(specs).map((name) => `kms:alias/ca-${name}`);
    const { stdout } = await machine.agent(['public', ...names], { env });
    authorities = await Promise.all(types.map((type) => makeSshKey(type)));
    host = await startCertifiedHost({
      authorities: [...authorities.map(({ publicKey }) => publicKey), ...stdout.trim().split('\n')],
      principals: ['deploy', 'release'],
    });
    for (const [index, { privateKey }] of authorities.entries())
      machine.world.put(`/ci/ca-${nameOf(types[index] ?? {})}`, privateKey);
    writeFileSync(join(machine.folder, 'known_hosts'), host.knownHosts);
  });
  afterAll(async () => {
    await Promise.all([machine.close(), host.stop()]);
  });

  const file = (name: string, text: string): string => {
    writeFileSync(join(machine.folder, name), text, { mode: 0o600 });
    return join(machine.folder, name);
  };
  interface Wish {
    readonly ca?: string;
    readonly principals?: string;
    readonly options?: readonly string[];
  }
  /** Writes the key NAME and its certificate NAME-cert.pub, and returns the certificate. */
  const certified = async (name: string, key: SshKey, wish: Wish = {}): Promise<string> => {
    const { ca = '/ci/ca-ed25519', principals = 'deploy', options = [] } = wish;
    file(name, key.privateKey);
    const args = [file(`${name}.pub`, `${key.publicKey}\n`), '--ca', ca, '--principals', principals];
    const { stdout, stderr, exitCode } = await machine.agent(['certify', ...args, '--quiet', ...options], {
      env,
    });
    expect([stderr, exitCode]).toEqual(['', 0]);
    file(`${name}-cert.pub`, stdout);
    return stdout;
  };
  /** ssh itself, with the key and the certificate beside it. */
  const login = async (name: string, more: readonly string[] = []): Promise<Ended> => {
    const options = [
      ...['-F', '/dev/null', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none'],
      ...[
        '-o',
        `UserKnownHostsFile=${join(machine.folder, 'known_hosts')}`,
        '-i',
        join(machine.folder, name),
      ],
    ];
    const target = ['-p', String(host.port), `${host.user}@127.0.0.1`, 'echo in'];
    return await machine.start(['ssh', ...options, ...more, ...target]).ended;
  };

  it.each(types.map((type) => [nameOf(type), type] as const))(
    'lets in a key of type %s, by an authority of the same type, for one of its principals',
    async (name, type) => {
      const wish = {
        ca: `/ci/ca-${name}`,
        principals: 'web,deploy',
        options: ['--key-id', `run of ${name}`],
      };
      await certified(name, await makeSshKey(type), wish);
      const { stdout, stderr } = await login(name);
      expect([stderr, stdout]).toEqual(['', 'in\n']);
      expect(host.log()).toMatch(new RegExp(`Accepted publickey .* ID run of ${name} \\(serial \\d+\\) CA `));
    },
  );

  it.each(Object.keys(specs))(
    'lets in by an authority in KMS of type %s, with all that it was asked to say',
    async (name) => {
      const options = [
        '--force-command',
        'echo "$USER": forced',
        '--source-address',
        '127.0.0.1',
        '--valid',
        '1h',
      ];
      const wish = { ca: `kms:alias/ca-${name}`, principals: 'web,deploy', options };
      const certificate = await certified(`kms-${name}`, await makeSshKey(), wish);
      expect((await login(`kms-${name}`)).stdout).toMatch(/: forced\n$/);
      expect(listCertificate(certificate.trim())).toMatch(
        /Principals: \n\s+web\n\s+deploy\n[^]*force-command echo "\$USER": forced\n\s+source-address 127\.0\.0\.1\n\s+Extensions: \(none\)/,
      );
      await certified(`kms-other-${name}`, await makeSshKey(), { ...wish, principals: 'web' });
      expect((await login(`kms-other-${name}`)).stderr).toContain('Permission denied (publickey)');
    },
  );

  it('refuses other principals, and an authority that it does not trust', async () => {
    const key = await makeSshKey();
    await certified('other', key, { principals: 'web,deployer' });
    expect((await login('other')).stderr).toContain('Permission denied (publickey)');
    expect(host.log()).toContain('Certificate does not contain an authorized principal');
    machine.world.put('/ci/ca-of-others', (await makeSshKey()).privateKey);
    await certified('stranger', key, { ca: '/ci/ca-of-others' });
    expect((await login('stranger')).stderr).toContain('Permission denied (publickey)');
  });

  it("refuses a host's certificate where a user's belongs", async () => {
    await certified('as-host', await makeSshKey(), { options: ['--host'] });
    expect((await login('as-host')).stderr).toContain('Permission denied (publickey)');
  });

  it('lets in until the certificate ends', async () => {
    await certified('short', await makeSshKey(), { options: ['--valid', '3s'] });
    expect((await login('short')).stdout).toBe('in\n');
    await sleep(4_000);
    expect((await login('short')).stderr).toContain('Permission denied (publickey)');
    expect(host.log()).toContain('Certificate invalid: expired');
  });

  it('runs the command of the certificate, whatever was asked for', async () => {
    await certified('forced', await makeSshKey(), {
      options: ['--force-command', 'echo forced: $SSH_ORIGINAL_COMMAND'],
    });
    expect((await login('forced')).stdout).toBe('forced: echo in\n');
  });

  it('lets in from the networks of the certificate only', async () => {
    const key = await makeSshKey();
    await certified('near', key, { options: ['--source-address', '127.0.0.0/8,::1'] });
    await certified('far', key, { options: ['--source-address', '10.0.0.0/8'] });
    expect((await login('near')).stdout).toBe('in\n');
    expect((await login('far')).stderr).toContain('Permission denied (publickey)');
    expect(host.log()).toContain('not from a permitted source address');
  });

  it('gives a terminal, and forwards ports, only if the certificate says so', async () => {
    const key = await makeSshKey();
    await certified('bare', key);
    await certified('more', key, { options: ['--extensions', 'permit-pty,permit-port-forwarding'] });
    expect((await login('bare', ['-tt'])).stderr).toContain('PTY allocation request failed');
    expect((await login('more', ['-tt'])).stdout).toBe('in\r\n');
    const forward = ['-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:9'];
    expect((await login('bare', forward)).exitCode).toBe(255);
    expect((await login('more', forward)).exitCode).toBe(0);
  });

  it('refuses what a list of revoked keys names: one certificate by its serial number, or one key', async () => {
    const [lost, kept, key] = await Promise.all([makeSshKey(), makeSshKey(), makeSshKey()]);
    await certified('lost', lost, { options: ['--serial', '7001'] });
    await certified('kept', kept, { options: ['--serial', '7002'] });
    await certified('lost-key', key);
    const authority = file('ca.pub', `${authorities[0]?.publicKey ?? ''}\n`);
    const revoke = async (list: string, ...more: readonly string[]): Promise<void> => {
      const args = ['-k', '-f', host.revokedKeys, ...more, file('revoked', list)];
      const { stderr, exitCode } = await machine.start(['ssh-keygen', ...args]).ended;
      expect([stderr, exitCode]).toEqual(['', 0]);
    };
    expect((await login('lost')).stdout).toBe('in\n');
    await revoke('serial: 7001\n', '-s', authority);
    await revoke(`sha256: ${key.publicKey}\n`, '-u', '-s', authority);
    expect((await login('lost')).stderr).toContain('Permission denied (publickey)');
    expect((await login('lost-key')).stderr).toContain('Permission denied (publickey)');
    expect((await login('kept')).stdout).toBe('in\n');
    expect(host.log()).toMatch(/Authentication key .* revoked by file/);
  });
});
