/** rotate for a key in KMS, with real git, ssh and sshd. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect } from '@jest/globals';
import { program } from '../support/ec2-host.ts';
import { itInTurn as it } from '../support/parts.ts';
import { INSTANCE_ROLE, ec2 } from './ec2-host.ts';
import { KmsRotating, kmsName, kmsPolicy, kmsWalks, lineOf, place } from './kms-rotating.ts';
import { useRotateStage } from './rotate-stage.ts';

describe('ssm-ssh-agent rotate kms:alias/NAME', () => {
  const stage = useRotateStage();
  let key: KmsRotating;
  beforeEach(() => {
    key = new KmsRotating(stage);
  });

  /** A host whose role has the printed policy. */
  const onHost = (): (() => Promise<{ exitCode: number | null; stderr: string }>) => {
    const policies = [kmsPolicy('read')];
    stage.host.world.aws.iam.createRole({ arn: INSTANCE_ROLE, trustPolicy: ec2, policies });
    const GIT_CONFIG_GLOBAL = join(stage.host.folder, 'gitconfig');
    const section = `[ssm "${stage.git.address}:${String(stage.git.port)}/acme/lib"]`;
    writeFileSync(GIT_CONFIG_GLOBAL, `${section}\nkey = ${kmsName}\n`);
    const env = { GIT_CONFIG_GLOBAL, GIT_SSH_COMMAND: program, SSM_SSH_KNOWN_HOSTS: 'known_hosts' };
    return () => stage.host.start(['git', 'ls-remote', '--quiet', stage.url], { env }).ended;
  };

  it('moves the alias to a new key while an agent with the old one works, until --finish and after it', async () => {
    const list = onHost();
    expect(await list()).toMatchObject({ exitCode: 0, stderr: '' });
    stage.keys.delay = 1500;
    const rotated = await key.run();
    expect([rotated.exitCode, rotated.stdout]).toEqual([0, '']);
    kmsWalks.forward.check(key);
    // The agent still has the old key.
    expect(await list()).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await key.run('--finish')).exitCode).toBe(0);
    kmsWalks.finish.check(key);
    expect(key.old).toMatchObject({ state: 'PendingDeletion', pendingDays: 30 });
    // ssm-ssh reads the new key, and tries again.
    expect((await list()).exitCode).toBe(0);
    expect(await list()).toMatchObject({ exitCode: 0, stderr: '' });
    await stage.host.agent(['flush']);
  });

  it('makes a key with the spec, the policy, the tags and the description of the old one, and tells each step', async () => {
    const tags = Object.assign(key.old.tags, { 'aws:cloudformation:stack-name': 'x' }) as object;
    const { stderr } = await key.run();
    const made = key.keyOf('served');
    expect(made).toMatchObject({ spec: 'ECC_NIST_P256', description: 'deploys acme/lib', origin: 'AWS_KMS' });
    expect(made?.policy).toMatchObject({ Id: 'key-default-1' });
    expect(tags).toBeDefined();
    expect(made?.tags).toEqual({ team: 'ci', 'ssm-ssh-agent:rotation': 'alias/deploy' });
    const today = new Date().toISOString().slice(0, 10);
    expect(stderr.split('\n').map((line) => line.replace(/^ssm-ssh-agent: /, ''))).toEqual([
      'the new KMS key has the alias alias/deploy/next, by which nobody signs yet',
      `registered the new public key in acme/lib on 127.0.0.1 as "CI ${today} (deploy)", read-only`,
      'the host accepts the new key ecdsa-sha2-nistp256',
      `${kmsName} is the new key now, as the KMS key ${made?.id ?? ''}`,
      'hosts with ssm-ssh take the new key by themselves, jobs take it when they start',
      expect.stringContaining(`rotate ${kmsName} --github-repo acme/lib --api-url`),
      '',
    ]);
    const finished = await key.run('--finish', '--json');
    expect(finished.stderr).toMatch(
      /KMS key \S+ does not sign any more, and is deleted in 30 days; .*cancel/,
    );
    expect(JSON.parse(finished.stdout)).toMatchObject({
      ...{ reference: kmsName, state: 'finished', version: made?.id, type: 'ecdsa-sha2-nistp256' },
      ...{
        arn: 'arn:aws:kms:eu-west-1:111122223333:alias/deploy',
        publicKey: `${key.served ?? ''} ${kmsName}`,
      },
      other: { version: key.old.id },
    });
  });

  it('proves the new key before the alias moves, and leaves it where it is if the host refuses the key', async () => {
    stage.keys.delay = 60_000;
    const { exitCode, stderr } = await key.run();
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringMatching(/PROVIDER_FAILED: the new key of kms:alias\/deploy does not open ssh:.*denied/),
    ]);
    expect(key.served).toBe(key.oldLine);
    stage.keys.delay = 0;
    expect((await key.run('--abort')).stderr).toContain('is deleted in 30 days');
    kmsWalks.abort.check(key);
  });

  it('goes back with --abort after the alias has moved', async () => {
    await key.run();
    const aborted = await key.run('--abort');
    expect([aborted.exitCode, aborted.stderr]).toEqual([0, expect.stringContaining('is the old key again')]);
    kmsWalks.abort.check(key);
    expect((await key.run('--abort')).stderr).toContain('there is nothing to abort');
    expect((await key.run()).exitCode).toBe(0);
    kmsWalks.forward.check(key);
  });

  it('is refused a second time until --finish or --abort ended the first', async () => {
    await key.run();
    const again = await key.run();
    expect([again.exitCode, again.stderr]).toEqual([
      2,
      expect.stringMatching(/the last rotation .*alias\/deploy\/previous.*\nhint: .*--finish .*--abort/),
    ]);
    expect((await key.run('--finish')).exitCode).toBe(0);
    expect((await key.run('--type', 'ed25519')).exitCode).toBe(0);
    expect(key.keyOf('served')?.spec).toBe('ECC_NIST_EDWARDS25519');
  });

  it('by hand prints the public key to register, and at the end the one to remove', async () => {
    const byHand = (...more: string[]) => stage.run([kmsName, ...more]);
    const staged = await byHand();
    const next = key.keyOf('next');
    if (!next) throw new Error('nothing is staged');
    expect([staged.exitCode, staged.stdout]).toEqual([0, `${lineOf(next)} ${kmsName}\n`]);
    expect(staged.stderr).toContain('a new key is in KMS, and nobody signs with it yet');
    const early = await byHand('--registered', ...stage.testing);
    expect([early.exitCode, key.served]).toEqual([1, key.oldLine]);
    key.register(next);
    expect((await byHand('--registered', ...stage.testing)).exitCode).toBe(0);
    const finished = await byHand('--finish', ...stage.testing);
    expect([finished.exitCode, finished.stdout]).toEqual([0, `${key.oldLine} ${kmsName}\n`]);
    expect([key.served, key.old.state]).toEqual([lineOf(next), 'PendingDeletion']);
  });

  it('does not delete an old key that has another alias', async () => {
    key.signingKeys.setAlias(place, 'alias/elsewhere', key.old.arn);
    await key.run();
    const { exitCode, stderr } = await key.run('--finish');
    expect([exitCode, stderr]).toEqual([
      0,
      expect.stringContaining('stays: it has the alias alias/elsewhere'),
    ]);
    expect([key.old.state, key.registered]).toEqual(['Enabled', [key.served]]);
  });

  it('keeps the key of somebody else who moves the alias meanwhile', async () => {
    await key.run();
    const theirs = key.signingKeys.create(place);
    key.signingKeys.setAlias(place, 'alias/deploy', theirs);
    const refused = await key.run('--finish');
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('--abort keeps')]);
    const aborted = await key.run('--abort');
    expect([aborted.exitCode, aborted.stderr]).toEqual([0, expect.stringContaining('somebody else')]);
    expect([key.keyOf('served')?.arn, key.keyOf('next')]).toEqual([theirs, undefined]);
    expect([key.keyOf('previous')?.arn, key.registered]).toEqual([key.old.arn, [key.oldLine]]);
  });

  it('does not take the key of somebody else that has the alias NAME/next', async () => {
    const theirs = key.signingKeys.create({ ...place, alias: 'alias/deploy/next' });
    for (const option of [[], ['--abort'], ['--finish']]) {
      const { exitCode, stderr } = await key.run(...option);
      expect([exitCode, stderr]).toEqual([
        2,
        expect.stringMatching(/alias\/deploy\/next .*was not made by a rotation.*\nhint: .*delete-alias/),
      ]);
    }
    expect([key.signingKeys.get(theirs).state, key.keyOf('next')?.arn]).toEqual(['Enabled', theirs]);
    expect([key.served, key.registered]).toEqual([key.oldLine, [key.oldLine]]);
  });

  it('does not delete the key of somebody else that has the alias NAME/previous', async () => {
    const theirs = key.signingKeys.create({ ...place, alias: 'alias/deploy/previous' });
    expect((await key.run()).exitCode).toBe(2);
    const { exitCode, stderr } = await key.run('--finish');
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining(`the KMS key ${theirs} stays`)]);
    expect(key.signingKeys.get(theirs).state).toBe('Enabled');
    expect([key.served, key.registered]).toEqual([key.oldLine, [key.oldLine]]);
  });

  it.each([
    [['kms:1234abcd-12ab-34cd-56ef-1234567890ab'], 2, 'is not the alias of a KMS key'],
    [['arn:aws:kms:eu-west-1:111122223333:alias/deploy'], 2, 'is not the alias of a KMS key'],
    [['kms:alias/aws/ssm'], 2, 'names a key that AWS manages'],
    [['kms:alias/deploy/next'], 2, 'looks like an alias that a rotation has made'],
    [[`kms:alias/${'x'.repeat(245)}`], 2, 'has more than 247 characters'],
    [[kmsName, '--registered', '--test', 'git@h:o/r'], 2, 'has no new key'],
    [['kms:alias/other'], 1, 'policy kms:alias/other --for rotate prints what the role needs'],
  ])('refuses %j before anything is changed', async (args, code, text) => {
    key.signingKeys.create({ ...place, alias: 'alias/other' });
    const { exitCode, stdout, stderr } = await stage.run(args);
    expect([exitCode, stdout]).toEqual([code, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: [A-Z_]+: .*\nhint: .*\n$/);
    expect(stderr).toContain(text);
    const changes = stage.host.world.aws.calls.filter(({ operation }) => /:(Create|Update)/.test(operation));
    expect(changes).toEqual([]);
  });
});
