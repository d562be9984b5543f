import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { listCertificate } from '../support/keygen.ts';
import { itInTurn as it } from '../support/parts.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host, type Ended, type RunOptions } from './ec2-host.ts';
import { writer } from './key-writer.ts';

const authorityTypes = [{ type: 'ed25519' }, { type: 'ecdsa', bits: 384 }, { type: 'rsa' }] as const;

describe('ssm-ssh-agent certify', () => {
  let host: Ec2Host;
  let authorities: SshKey[];
  let key: SshKey;

  beforeAll(async () => {
    [key, ...authorities] = await Promise.all([
      makeSshKey({ comment: 'octo@laptop' }),
      ...authorityTypes.map(makeSshKey),
    ]);
  });
  beforeEach(async () => {
    host = await openEc2Host();
    host.world.put('/ci/ca', authorities[0]?.privateKey ?? '');
    writeFileSync(join(host.folder, 'key.pub'), `${key.publicKey}\n`);
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const certify = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
    host.agent(['certify', ...args], options);
  const usual = ['key.pub', '--ca', '/ci/ca', '--principals', 'deploy,web'];

  it.each(authorityTypes)(
    'signs a key by a stored authority of type %j: ssh-keygen shows what was asked for',
    async (kind) => {
      const authority = authorities[authorityTypes.indexOf(kind)];
      host.world.put('/ci/ca', authority?.privateKey ?? '');
      const asked = [
        ...['--valid', '8h', '--key-id', 'octo at work', '--serial', '18446744073709551615'],
        ...['--extensions', 'permit-pty,login@github.com=octo', '--source-address', '10.0.0.0/8,::1'],
        ...['--force-command', '/opt/deploy --now'],
      ];
      const { exitCode, stdout, stderr } = await certify([...usual, ...asked]);
      expect([exitCode, stdout.split(' ')[2]]).toEqual([0, 'octo@laptop\n']);
      const listed = listCertificate(stdout.trim());
      expect(listed).toMatch(/Type: ssh-ed25519-cert-v01@openssh\.com user certificate/);
      expect(listed).toContain(`Public key: ED25519-CERT ${key.fingerprint}`);
      expect(listed).toContain(` ${authority?.fingerprint ?? ''} `);
      expect(listed).toMatch(/Key ID: "octo at work"\n\s+Serial: 18446744073709551615\n/);
      expect(listed).toMatch(/Principals: \n\s+deploy\n\s+web\n/);
      expect(listed).toMatch(/force-command \/opt\/deploy --now\n\s+source-address 10\.0\.0\.0\/8,::1\n/);
      expect(listed).toMatch(/Extensions: \n\s+login@github\.com UNKNOWN OPTION.*\n\s+permit-pty\n/);
      for (const text of [
        'octo at work',
        'deploy, web',
        '/opt/deploy --now',
        'permit-pty, login@github.com=octo',
      ])
        expect(stderr).toContain(text);
    },
  );

  it('says that a stored authority can be read, and nothing but the certificate on standard output', async () => {
    const { stdout, stderr } = await certify(usual);
    expect(stdout).toMatch(/^ssh-ed25519-cert-v01@openssh\.com AAAA\S+ octo@laptop\n$/);
    expect(stderr).toMatch(
      /^ssm-ssh-agent: warning: whoever can read the authority \/ci\/ca can sign any certificate, .* put it into KMS/,
    );
    expect(stderr).toContain("\nssm-ssh-agent: signed the user's key ssh-ed25519 SHA256:");
    expect(stderr).toMatch(/\n {2}key id +deploy,web\n/);
    expect(stderr).toMatch(/\n {2}extensions +none\n/);
    expect((await certify([...usual, '--quiet'])).stderr).toBe('');
  });

  it('signs by a key in KMS with two calls, and does not warn', async () => {
    const { aws } = host.world;
    const place = { account: ACCOUNT, region: REGION };
    const arn = aws.signingKeys.create({ ...place, spec: 'ECC_NIST_P384', alias: 'alias/user-ca' });
    const env = writer(host, [allow(['kms:GetPublicKey', 'kms:Sign'], arn)]);
    for (const ca of ['kms:alias/user-ca', arn]) {
      aws.forgetCalls();
      const { exitCode, stdout, stderr } = await certify(['key.pub', '--ca', ca, '--principals', 'deploy'], {
        env,
      });
      expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining('warning')]);
      expect(stderr).toContain(`\n  signed by       ${ca}: ecdsa-sha2-nistp384 SHA256:`);
      expect(listCertificate(stdout.trim())).toMatch(
        /Signing CA: ECDSA SHA256:\S+ \(using ecdsa-sha2-nistp384\)/,
      );
      expect(aws.calls.map(({ operation }) => operation)).toEqual(['kms:GetPublicKey', 'kms:Sign']);
    }
  });

  it('says which permission is missing for a key in KMS', async () => {
    host.world.aws.signingKeys.create({
      ...{ account: ACCOUNT, region: REGION },
      spec: 'RSA_2048',
      alias: 'alias/ca',
    });
    const env = writer(host, [allow('kms:GetPublicKey', '*')]);
    const { exitCode, stdout, stderr } = await certify(
      ['key.pub', '--ca', 'kms:alias/ca', '--principals', 'a'],
      { env },
    );
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: KEY_ACCESS_DENIED: .*kms:alias\/ca[^]*kms:Sign/);
  });

  it('lasts 15 minutes and is valid five minutes before, by default', async () => {
    const { stdout } = await certify([...usual, '--json', '--quiet']);
    const { validFrom, validUntil, serial, ...record } = JSON.parse(stdout) as Record<string, string>;
    expect([Date.parse(validUntil ?? '') - Date.parse(validFrom ?? ''), BigInt(serial ?? '') > 0n]).toEqual([
      1_200_000,
      true,
    ]);
    expect(Math.abs(Date.parse(validUntil ?? '') - Date.now() - 900_000)).toBeLessThan(20_000);
    expect(record).toEqual({
      ...{ certificate: expect.stringMatching(/^ssh-ed25519-cert/), kind: 'user' },
      ...{ type: 'ssh-ed25519-cert-v01@openssh.com', fingerprint: key.fingerprint },
      ...{ authority: authorities[0]?.fingerprint, keyId: 'deploy,web', principals: ['deploy', 'web'] },
      ...{ criticalOptions: {}, extensions: [] },
    });
  });

  it("signs a host's key from standard input, by an authority with a passphrase", async () => {
    const locked = await makeSshKey({ passphrase: 'a secret word' });
    host.world.put('/ci/host-ca', locked.privateKey);
    host.world.put('/ci/word', 'a secret word');
    const args = ['-', '--host', '--ca', '/ci/host-ca passphrase=/ci/word', '--principals', '*.example.com'];
    const { exitCode, stdout, stderr } = await certify(args, { input: `${key.publicKey}\n` });
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("signed the host's key")]);
    expect(listCertificate(stdout.trim())).toMatch(
      /host certificate[^]*Principals: \n\s+\*\.example\.com\n\s+Critical Options: \(none\)\n\s+Extensions: \(none\)/,
    );
  });

  it.each<[string, readonly string[], RegExp]>([
    ['no file', usual.slice(1), /certify has no public key to sign\nhint: .*certify id_ed25519\.pub --ca/],
    ['two files', [...usual, 'other.pub'], /got more than one file/],
    ['no authority', ['key.pub', '--principals', 'a'], /--ca is missing.*\nhint: .*--ca kms:alias\/user-ca/],
    ['no principals', usual.slice(0, 3), /--principals is missing/],
    ['a new key as authority', ['key.pub', '--ca', 'new:rsa', '--principals', 'a'], /--ca: .*new:rsa/],
    [
      'an authority with repositories',
      ['key.pub', '--ca', '/ci/ca github.com', '--principals', 'a'],
      /--ca has more than the key of an authority/,
    ],
    [
      'a wrong serial number',
      [...usual, '--serial', '18446744073709551616'],
      /--serial is not a serial number/,
    ],
    ['a key id of two lines', [...usual, '--key-id', 'a\nb'], /--key-id is not one line/],
    [
      'a network with bits behind its mask',
      [...usual, '--source-address', '10.0.0.1/8'],
      /--source-address has/,
    ],
    ['more than a year', [...usual, '--valid', '53w'], /--valid is more than a year/],
    ['a command for a host', [...usual, '--host', '--force-command', 'ls'], /--force-command is for users/],
    [
      'a file that is not there',
      ['none.pub', ...usual.slice(1)],
      /there is no file none\.pub\nhint: .*\.pub file/,
    ],
  ])('with %s asks AWS nothing, and exits with 2', async (_, args, message) => {
    const { exitCode, stdout, stderr } = await certify(args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: INPUT_INVALID: .*\nhint: .*\n$/);
    expect(stderr).toMatch(message);
    expect(host.world.aws.calls).toEqual([]);
  });

  it('refuses a private key, and repeats none of it', async () => {
    const { exitCode, stderr } = await certify(['-', ...usual.slice(1)], { input: key.privateKey });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('standard input holds a private key')]);
    expect(stderr).not.toContain(key.privateKey.split('\n')[1]);
  });

  it('says which authority cannot be read', async () => {
    const { exitCode, stderr } = await certify(['key.pub', '--ca', '/ci/none', '--principals', 'a']);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('KEY_NOT_FOUND')]);
  });
});
