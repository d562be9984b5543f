import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { itInTurn as it } from '../support/parts.ts';
import { fingerprintOf } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { parameterArn, storedParameter, storedSecret, writer } from './key-writer.ts';

const today = (): string => new Date().toISOString().slice(0, 10);

describe('ssm-ssh-agent keygen', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const keygen = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    host.agent(['keygen', ...args], { env: { ...writer(host), ...env } });
  const operations = (): string[] => host.world.aws.calls.map(({ operation }) => operation);
  /** The public half of a stored key, as ssh-keygen reads it. */
  const publicHalf = (text = ''): string => {
    const folder = join(host.folder, 'read');
    mkdirSync(folder);
    writeFileSync(join(folder, 'key'), text, { mode: 0o600 });
    const line = execFileSync('ssh-keygen', ['-y', '-f', join(folder, 'key')], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    return line;
  };

  it('stores a new key, prints its public half, and says where to paste it', async () => {
    const { exitCode, stdout, stderr } = await keygen(['/ci/deploy-key']);
    expect(stderr).toMatch(/^ssm-ssh-agent: stored \/ci\/deploy-key \(version 1\): ssh-ed25519 SHA256:/);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^ssh-ed25519 \\S+ /ci/deploy-key ${today()}\\n$`));
    expect(publicHalf(storedParameter(host, '/ci/deploy-key'))).toBe(stdout);
    expect(stderr).toContain(fingerprintOf(stdout));
    expect(stderr).toContain(
      `gh api repos/OWNER/REPO/keys -f title=/ci/deploy-key -F read_only=true -f key='${stdout.trim()}'`,
    );
    for (const place of ['GitLab', 'Bitbucket', 'Azure DevOps  takes RSA keys only', 'authorized_keys'])
      expect(stderr).toContain(place);
    expect(operations()).toEqual(['sts:GetCallerIdentity', 'ssm:PutParameter']);
  });

  it.each([
    [['--type', 'ecdsa', '--bits', '384'], 'ecdsa-sha2-nistp384'],
    [['--type', 'ecdsa'], 'ecdsa-sha2-nistp256'],
    [['--type', 'rsa', '--bits', '2048'], 'ssh-rsa'],
  ])('with %j makes a key that ssh-add takes', async (args, type) => {
    const { stdout, stderr } = await keygen([...args, '--comment', 'ci@acme', '/ci/deploy-key']);
    expect(stdout).toMatch(new RegExp(`^${type} \\S+ ci@acme\\n$`));
    expect(stderr.includes('takes RSA keys only')).toBe(type !== 'ssh-rsa');
    const script = `ssh-agent -a ${join(host.folder, 'agent')} sh -c 'ssh-add -q -; ssh-add -L'`;
    const input = storedParameter(host, '/ci/deploy-key') ?? '';
    expect((await host.start(['sh', '-c', script], { input }).ended).stdout).toBe(stdout);
  });

  it('describes with --json what it stored, and is silent with --quiet', async () => {
    const { stdout, stderr } = await keygen(['/ci/deploy-key', '--json', '--quiet', '--comment', 'x']);
    const publicKey = publicHalf(storedParameter(host, '/ci/deploy-key')).trim();
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      reference: '/ci/deploy-key',
      arn: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/deploy-key`,
      version: '1',
      type: 'ssh-ed25519',
      fingerprint: fingerprintOf(publicKey),
      publicKey,
    });
  });

  it('changes no key that exists without --overwrite', async () => {
    const first = await keygen(['/ci/deploy-key']);
    const refused = await keygen(['/ci/deploy-key']);
    expect([refused.exitCode, refused.stdout]).toEqual([2, '']);
    expect(refused.stderr).toMatch(/^ssm-ssh-agent: INPUT_INVALID: .*exists.*\nhint: .*--overwrite.*\n$/);
    const second = await keygen(['/ci/deploy-key', '--overwrite']);
    expect(second.stderr).toContain('(version 2)');
    const both = await host.agent(['public', '/ci/deploy-key:1', '/ci/deploy-key'], { env: writer(host) });
    expect(both.stdout).toBe(first.stdout + second.stdout);
  });

  it('takes a tier, a KMS key, tags and a description', async () => {
    const key = host.world.aws.kms.createKey({ account: ACCOUNT, region: REGION, alias: 'alias/ci' });
    const env = writer(host, [
      allow(['ssm:PutParameter', 'ssm:AddTagsToResource'], parameterArn),
      allow('kms:GenerateDataKey', key),
    ]);
    const options = [
      '--tier',
      'advanced',
      '--kms-key-id',
      'alias/ci',
      '--tag',
      'team=ci',
      '--tag',
      'env=a=b',
    ];
    const made = await keygen(['/ci/deploy-key', ...options, '--description', 'for deploys'], env);
    expect([made.exitCode, made.stderr]).toEqual([0, expect.stringContaining('version 1')]);
    const found = host.world.aws.parameters.find({ account: ACCOUNT, region: REGION }, '/ci/deploy-key');
    expect(found?.tags).toEqual({ team: 'ci', env: 'a=b' });
    expect(found?.versions).toMatchObject([{ tier: 'Advanced', keyArn: key, description: 'for deploys' }]);
  });

  it('makes a member of a JSON secret', async () => {
    const { stdout, stderr } = await keygen(['--secretsmanager', 'ci/deploy:private_key']);
    expect(stderr).toContain('stored secretsmanager:ci/deploy:private_key (version ');
    const { private_key: text } = JSON.parse(storedSecret(host, 'ci/deploy') ?? '') as {
      private_key: string;
    };
    expect(publicHalf(text)).toBe(stdout);
    expect(stdout).toContain(` ci/deploy ${today()}`);
  });

  it('says which statement is missing where it may not store', async () => {
    const { exitCode, stdout, stderr } = await keygen(
      ['/ci/deploy-key'],
      writer(host, [allow('ssm:GetParameter', '*')]),
    );
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^ssm-ssh-agent: KEY_ACCESS_DENIED: storing the parameter .*\nhint: .*"Action":"ssm:PutParameter"/,
    );
  });

  it('stores nothing where it is interrupted before', async () => {
    host.world.aws.faults.order({ operation: 'sts:GetCallerIdentity', fault: 'hang' });
    const { child, ended } = host.startAgent(['keygen', '/ci/deploy-key'], { env: writer(host) });
    while (host.world.aws.calls.length === 0) await sleep(20);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ exitCode: 130, stdout: '', stderr: '' });
    expect(operations()).toEqual(['sts:GetCallerIdentity']);
  });

  it.each([
    [[], 'keygen has no name'],
    [['/ci/one', '/ci/two'], 'got more than one name'],
    [['/ci/key', '--type', 'dsa'], '--type cannot be "dsa"'],
    [['/ci/key', '--bits', '512'], 'an Ed25519 key always has 256 bits'],
    [['/ci/key:7'], 'names one version'],
    [['kms:deploy'], 'neither the id of a KMS key nor alias/NAME'],
    [['new:ed25519'], 'stands for a key that is not stored'],
    [['ci/key'], 'is a path without a slash'],
    [['/ci/key', '--tier', 'cheap'], '--tier cannot be "cheap"'],
    [['--secretsmanager', 'ci/key', '--tier', 'standard'], '--tier is for parameters'],
    [['/ci/key', '--tag', 'team'], '--tag is not KEY=VALUE'],
    [['/ci/key', '--tag', 'a=1', '--tag', 'a=2'], '--tag names the key "a" twice'],
    [['/ci/key', '--tag', 'aws:a=1'], 'AWS keeps aws: for itself'],
    [['/ci/key', '--comment', 'two\nlines'], '--comment is not one line'],
    [['/ci/key', '--kms-key-id', 'kms:alias/x'], '--kms-key-id is not a KMS key'],
    [['/ci/key', '--description', 'x'.repeat(1025)], '--description has 1025 characters'],
  ])('refuses %j before anything is asked', async (args, message) => {
    const { exitCode, stdout, stderr } = await keygen(args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: INPUT_INVALID: .*\nhint: .*\n$/);
    expect(stderr).toContain(message);
    expect(operations()).toEqual([]);
  });

  it('is described with its options in --help', async () => {
    const { stdout } = await keygen(['--help']);
    for (const option of ['--type', '--bits', '--comment', '--overwrite', '--kms-key-id', '--tier', '--tag'])
      expect(stdout).toContain(option);
  });
});
