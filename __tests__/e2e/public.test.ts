import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { itInTurn as it } from '../support/parts.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { fingerprintOf, makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host } from './ec2-host.ts';
import { parameterArn, writer } from './key-writer.ts';

const place = { account: ACCOUNT, region: REGION };

describe('ssm-ssh-agent public', () => {
  let host: Ec2Host;
  let [one, two]: SshKey[] = [];

  beforeAll(async () => {
    [one, two] = await Promise.all([
      makeSshKey({ comment: 'one' }),
      makeSshKey({ type: 'ecdsa', comment: 'two' }),
    ]);
  });
  beforeEach(async () => {
    host = await openEc2Host();
    host.world.put('/ci/key', one?.privateKey ?? '');
    host.world.put('/ci/key', two?.privateKey ?? '');
  });
  afterEach(async () => {
    await host.close();
  });

  it('prints the public keys of versions and names in order, one line each', async () => {
    const { exitCode, stdout, stderr } = await host.agent(['public', '/ci/key', '/ci/key:1']);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`${two?.publicKey ?? ''}\n${one?.publicKey ?? ''}\n`);
  });

  it('describes them with --json', async () => {
    const { stdout } = await host.agent(['public', '--json', '/ci/key:1']);
    expect(JSON.parse(stdout)).toEqual([
      {
        ...{ reference: '/ci/key:1', version: '1', type: 'ssh-ed25519' },
        ...{ fingerprint: one?.fingerprint, publicKey: one?.publicKey },
      },
    ]);
  });

  it('prints those of keys in KMS, between stored ones, and asks for no more', async () => {
    const { aws } = host.world;
    const arn = aws.signingKeys.create({ ...place, spec: 'ECC_NIST_EDWARDS25519', alias: 'alias/deploy' });
    const env = writer(host, [allow('kms:GetPublicKey', '*'), allow('ssm:GetParameter', parameterArn)]);
    const { exitCode, stdout, stderr } = await host.agent(['public', '/ci/key:1', 'kms:alias/deploy', arn], {
      env,
    });
    expect([exitCode, stderr]).toEqual([0, '']);
    const [first, second = '', third = ''] = stdout.split('\n');
    expect(first).toBe(one?.publicKey);
    expect(second).toMatch(/^ssh-ed25519 \S+ kms:alias\/deploy$/);
    expect(third).toBe(second.replace('alias/deploy', arn.replace(/.*\//, '')));
    expect(aws.calls.map(({ operation }) => operation).filter((name) => name.startsWith('kms:'))).toEqual([
      ...['kms:GetPublicKey', 'kms:GetPublicKey'],
    ]);
    const { stdout: json } = await host.agent(['public', '--json', 'kms:alias/deploy'], { env });
    expect(JSON.parse(json)).toEqual([
      {
        ...{ reference: 'kms:alias/deploy', version: null, type: 'ssh-ed25519' },
        ...{ fingerprint: fingerprintOf(second), publicKey: second },
      },
    ]);
  });

  it.each([
    [[], '*'],
    [['--principal', 'ci@example.com,*@acme.example'], 'ci@example.com,*@acme.example'],
  ])('prints lines of an allowed signers file, with %j', async (more, principals) => {
    const { exitCode, stdout } = await host.agent(['public', '--allowed-signers', ...more, '/ci/key:1']);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`${principals} namespaces="git" ${one?.publicKey ?? ''}\n`);
    const [file, key, signed] = ['allowed', 'key', 'text'].map((name) => join(host.folder, name));
    writeFileSync(file ?? '', stdout);
    writeFileSync(key ?? '', one?.privateKey ?? '', { mode: 0o600 });
    writeFileSync(signed ?? '', 'a commit');
    execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', key ?? '', signed ?? ''], {
      stdio: 'pipe',
    });
    const signature = ['-s', `${signed ?? ''}.sig`];
    const find = ['-Y', 'find-principals', '-f', file ?? '', ...signature];
    const found = execFileSync('ssh-keygen', find, { encoding: 'utf8' }).trim();
    const check = ['-Y', 'verify', '-f', file ?? '', '-n', 'git', ...signature];
    for (const principal of [found.split(',')[0] ?? '', 'ci@example.com'])
      expect(
        execFileSync('ssh-keygen', [...check, '-I', principal], { input: 'a commit' }).toString(),
      ).toMatch(/^Good/);
  });

  it('of a key in KMS needs its permission, and says which', async () => {
    host.world.aws.signingKeys.create({ ...place, alias: 'alias/deploy' });
    const { exitCode, stdout, stderr } = await host.agent(['public', 'kms:alias/deploy']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^ssm-ssh-agent: KEY_ACCESS_DENIED: reading the public key of the KMS key kms:alias\/deploy/,
    );
    expect(stderr).toContain('{"kms:RequestAlias":["alias/deploy","alias/deploy/previous"]}');
  });

  it('prints nothing on standard output where one key cannot be read', async () => {
    const { exitCode, stdout, stderr } = await host.agent(['public', '/ci/key', '/ci/nothing']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: KEY_NOT_FOUND: there is no parameter \/ci\/nothing/);
  });

  it.each([
    [[], 'public has no key to print'],
    [['kms:alias/deploy unbound=allow'], 'takes no certificate, no rules and no repository'],
    [['kms:alias/deploy github.com/acme/lib'], 'takes no certificate, no rules and no repository'],
    [['kms:alias/deploy passphrase=/ci/p'], 'passphrase= is for a stored key'],
    [['new:ed25519'], 'ca= is missing'],
    [['new:ed25519 ca=kms:alias/ca principals=a'], 'only stored keys can be used here'],
    [['--principal', 'ci@example.com', '/ci/key'], '--principal is for --allowed-signers'],
    [['--allowed-signers', '--principal', 'a b', '/ci/key'], '--principal is not a list of addresses'],
    [['--allowed-signers', '--json', '/ci/key'], 'exclude each other'],
    [['/ci/key github.com/acme/lib'], 'takes no certificate, no rules and no repository'],
    [['/ci/key certificate=/ci/certificate'], 'takes no certificate, no rules and no repository'],
  ])('refuses %j before anything is asked', async (args, message) => {
    const { exitCode, stdout, stderr } = await host.agent(['public', ...args]);
    expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringContaining(message)]);
    expect(host.world.aws.calls).toEqual([]);
  });
});
