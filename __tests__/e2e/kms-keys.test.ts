/** keygen and put for kms:alias/NAME: keys that are made in KMS, or moved there. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import type { SigningKey } from '../support/aws/kms/signing-keys.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { itInTurn as it } from '../support/parts.ts';
import { fingerprintOf, makeSshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { writer } from './key-writer.ts';

const place = { account: ACCOUNT, region: REGION };
const today = (): string => new Date().toISOString().slice(0, 10);
let host: Ec2Host;

beforeEach(async () => {
  host = await openEc2Host();
});
afterEach(async () => {
  expect(host.leftovers()).toEqual([]);
  await host.close();
});

const run = (args: readonly string[], policies = [allow('kms:*', '*')]): Promise<Ended> =>
  host.agent(args, { env: writer(host, policies) });
const operations = (): string[] => host.world.aws.calls.map(({ operation }) => operation);
const keyOf = (alias = 'alias/deploy'): SigningKey => host.world.aws.signingKeys.find(alias, place);

describe('ssm-ssh-agent keygen kms:alias/NAME', () => {
  it('makes a key in KMS, prints its public half, and says where to paste it', async () => {
    const { exitCode, stdout, stderr } = await run(['keygen', 'kms:alias/deploy']);
    const { arn } = keyOf();
    expect([exitCode, stderr.split('\n')[0]]).toEqual([
      0,
      `ssm-ssh-agent: made kms:alias/deploy (${arn}): ssh-ed25519 ${fingerprintOf(stdout)}`,
    ]);
    expect(stdout).toMatch(new RegExp(`^ssh-ed25519 \\S+ kms:alias/deploy ${today()}\\n$`));
    expect(stderr).toContain(`-f title=deploy -F read_only=true -f key='${stdout.trim()}'`);
    expect(operations()).toEqual([
      ...['kms:GetPublicKey', 'kms:CreateKey', 'kms:GetPublicKey', 'kms:CreateAlias'],
    ]);
    const printed = await run(['public', 'kms:alias/deploy']);
    expect(printed.stdout.split(' ').slice(0, 2)).toEqual(stdout.split(' ').slice(0, 2));
  });

  it.each([
    [['--type', 'ecdsa'], 'ECC_NIST_P256', 'ecdsa-sha2-nistp256'],
    [['--type', 'ecdsa', '--bits', '521'], 'ECC_NIST_P521', 'ecdsa-sha2-nistp521'],
    [['--type', 'rsa', '--bits', '2048'], 'RSA_2048', 'ssh-rsa'],
  ])('with %j makes a key %s', async (more, spec, type) => {
    const { stdout } = await run(['keygen', 'kms:alias/deploy', '--comment', 'ci@acme', ...more]);
    expect(stdout).toMatch(new RegExp(`^${type} \\S+ ci@acme\\n$`));
    expect(keyOf().spec).toBe(spec);
  });

  it('gives it tags and a description, and describes it with --json', async () => {
    const more = ['--tag', 'team=ci', '--tag', 'stage=', '--description', 'deploys', '--json', '--quiet'];
    const { stdout, stderr } = await run(['keygen', 'kms:alias/deploy', ...more]);
    const { arn, tags, description } = keyOf();
    expect([stderr, tags, description]).toEqual(['', { team: 'ci', stage: '' }, 'deploys']);
    const { publicKey, ...record } = JSON.parse(stdout) as { publicKey: string };
    expect(record).toEqual({
      ...{ reference: 'kms:alias/deploy', arn, version: null, type: 'ssh-ed25519' },
      fingerprint: fingerprintOf(publicKey),
    });
  });

  it('changes no alias that exists, readable or not', async () => {
    const present = host.world.aws.signingKeys.create({ ...place, alias: 'alias/deploy' });
    const making = [allow(['kms:CreateKey', 'kms:CreateAlias'], '*')];
    for (const policies of [undefined, making]) {
      const { exitCode, stdout, stderr } = await run(['keygen', 'kms:alias/deploy'], policies);
      expect([exitCode, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        /there is a KMS key kms:alias\/deploy in eu-west-1 already, and it is not changed\nhint: /,
      );
    }
    expect([operations().includes('kms:CreateKey'), keyOf().arn]).toEqual([false, present]);
  });

  it('deletes the key again if it gets no alias', async () => {
    const message = 'AliasLimit';
    host.world.aws.faults.order({
      operation: 'kms:CreateAlias',
      fault: { error: { code: 'LimitExceededException', message } },
    });
    const { exitCode, stdout, stderr } = await run(['keygen', 'kms:alias/deploy']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^ssm-ssh-agent: warning: the KMS key (\S+) was made for nothing, and will be deleted in seven days\n/,
    );
    const [, arn = ''] = /the KMS key (\S+)/.exec(stderr) ?? [];
    expect(host.world.aws.signingKeys.get(arn).state).toBe('PendingDeletion');
  });

  it('asks once to make the key, so that a lost answer leaves one at most', async () => {
    host.world.aws.faults.order({ operation: 'kms:CreateKey', fault: 'reset' });
    const { exitCode, stderr } = await run(['keygen', 'kms:alias/deploy']);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('NETWORK_UNREACHABLE')]);
    expect(operations().filter((name) => name === 'kms:CreateKey')).toHaveLength(1);
  });

  it('without permission says which statements are needed, and they are enough', async () => {
    const { exitCode, stderr } = await run(['keygen', 'kms:alias/deploy', '--tag', 'a=b'], []);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('KEY_ACCESS_DENIED: making the KMS key')]);
    const [, json = ''] = /add to the role's policy: (.*)\n/.exec(stderr) ?? [];
    const needed = { Statement: JSON.parse(json) as [] };
    const done = await run(['keygen', 'kms:alias/deploy', '--tag', 'a=b'], [needed]);
    expect([done.exitCode, keyOf().tags]).toEqual([0, { a: 'b' }]);
  });

  it.each([
    [['kms:1234abcd-12ab-34cd-56ef-1234567890ab'], 'is not the name of a new KMS key'],
    [[`arn:aws:kms:eu-west-1:${ACCOUNT}:alias/deploy`], 'is not the name of a new KMS key'],
    [['kms:alias/aws/deploy'], 'a key that AWS manages'],
    [['kms:alias/deploy', '--overwrite'], '--overwrite is for keys that are stored'],
    [['kms:alias/deploy', '--secretsmanager'], '--secretsmanager is for keys that are stored'],
    [['kms:alias/deploy', '--tier', 'standard'], '--tier is for keys that are stored'],
    [['kms:alias/deploy', '--kms-key-id', 'alias/x'], '--kms-key-id is for keys that are stored'],
    [['kms:alias/deploy', '--type', 'rsa', '--bits', '8192'], 'KMS makes no RSA key of "8192" bits'],
    [['kms:alias/deploy', '--type', 'rsa', '--bits', '2049'], 'KMS makes no RSA key of "2049" bits'],
    [['kms:alias/deploy', '--description', 'x'.repeat(8193)], '--description has 8193 characters'],
  ])('refuses %j before anything is asked', async (args, message) => {
    const { exitCode, stdout, stderr } = await run(['keygen', ...args]);
    expect([exitCode, stdout, operations()]).toEqual([2, '', []]);
    expect(stderr).toContain(message);
  });
});

describe('ssm-ssh-agent put kms:alias/NAME', () => {
  const file = (text: string): string => {
    const path = join(host.folder, 'key');
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };

  it.each([
    [{ type: 'rsa' }],
    [{ type: 'rsa', format: 'PEM', bits: 3072 }],
    [{ type: 'ed25519' }],
    [{ type: 'ecdsa', bits: 256, format: 'PKCS8' }],
    [{ type: 'ecdsa', bits: 521 }],
  ] as const)('moves a key %j there, with its public half', async (options) => {
    const key = await makeSshKey({ ...options, comment: 'ci@acme' });
    const { exitCode, stdout, stderr } = await run(['put', 'kms:alias/deploy', file(key.privateKey)]);
    const { arn, state, origin } = keyOf();
    expect([exitCode, state, origin]).toEqual([0, 'Enabled', 'EXTERNAL']);
    expect(stdout.split(' ').slice(0, 2)).toEqual(key.publicKey.split(' ').slice(0, 2));
    expect(stderr).toContain(`made kms:alias/deploy (${arn}): `);
    const said = JSON.stringify(host.world.aws.calls) + stdout + stderr;
    // The first lines are the public key.
    const lines = key.privateKey.split('\n').slice(0, -2);
    for (const line of lines.slice(lines.length / 2 + 1)) expect(said).not.toContain(line);
    const printed = await run(['public', 'kms:alias/deploy']);
    expect(printed.stdout).toContain(key.publicKey.split(' ')[1]);
  });

  it('in China moves ECDSA keys, and says that RSA keys are not taken', async () => {
    const [ecdsa, rsa] = await Promise.all([makeSshKey({ type: 'ecdsa' }), makeSshKey({ type: 'rsa' })]);
    const credentials = host.world.aws.iam.createAccessKey({
      ...{ userArn: `arn:aws-cn:iam::${ACCOUNT}:user/admin`, policies: [allow('kms:*', '*')] },
    });
    const env = { ...host.world.aws.environment({ credentials }), AWS_REGION: 'cn-north-1' };
    const put = (text: string): Promise<Ended> =>
      host.agent(['put', 'kms:alias/deploy', file(text)], { env });
    expect(await put(rsa.privateKey)).toMatchObject({
      ...{ exitCode: 1, stdout: '' },
      stderr: expect.stringContaining('KEY_UNSUPPORTED: KMS in cn-north-1 takes no RSA keys from outside'),
    });
    expect(operations()).toEqual([]);
    expect((await put(ecdsa.privateKey)).stdout).toContain(ecdsa.publicKey.split(' ')[1]);
  });

  it.each([
    ['a key with a passphrase', { type: 'ed25519', passphrase: 'correct horse' }, 'KEY_ENCRYPTED'],
    ['an RSA key of another length', { type: 'rsa', bits: 2560 }, 'KEY_UNSUPPORTED'],
  ] as const)('refuses %s before anything is asked', async (_, options, code) => {
    const { privateKey } = await makeSshKey(options);
    const { exitCode, stdout, stderr } = await run(['put', 'kms:alias/deploy', file(privateKey)]);
    expect([exitCode, stdout, operations()]).toEqual([1, '', []]);
    expect(stderr).toMatch(new RegExp(`^ssm-ssh-agent: ${code}: the private key in .*\nhint: \\S`));
  });

  it('changes no alias that exists', async () => {
    const { privateKey } = await makeSshKey();
    const present = host.world.aws.signingKeys.create({ ...place, alias: 'alias/deploy' });
    const { exitCode, stderr } = await run(['put', 'kms:alias/deploy', file(privateKey)]);
    expect([exitCode, keyOf().arn]).toEqual([2, present]);
    expect(stderr).toContain('already, and it is not changed');
  });

  it('deletes the KMS key again if its material is refused', async () => {
    const { privateKey } = await makeSshKey();
    const fault = { error: { code: 'IncorrectKeyMaterialException', message: 'The material is wrong.' } };
    host.world.aws.faults.order({ operation: 'kms:ImportKeyMaterial', fault });
    const { exitCode, stderr } = await run(['put', 'kms:alias/deploy', file(privateKey)]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /will be deleted in seven days\n.*KEY_UNSUPPORTED: KMS in eu-west-1 does not take the key/,
    );
    expect(operations().at(-1)).toBe('kms:ScheduleKeyDeletion');
  });
});
