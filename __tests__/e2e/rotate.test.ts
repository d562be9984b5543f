import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from '@jest/globals';
import { ACCOUNT, REGION } from '../support/aws/world.ts';
import { program } from '../support/ec2-host.ts';
import { itInTurn as it } from '../support/parts.ts';
import { fingerprintOf } from '../support/ssh-keys.ts';
import { name, useRotateStage } from './rotate-stage.ts';

const arnIn = (account: string): string => `arn:aws:ssm:${REGION}:${account}:parameter${name}`;

describe('ssm-ssh-agent rotate', () => {
  const stage = useRotateStage();

  it('replaces a key while git works all the time, and the old key is refused after --finish', async () => {
    stage.keys.delay = 1500;
    let isOver = false;
    const env = {
      ...{ GIT_SSH_COMMAND: program, SSM_SSH_KEY: name, SSM_SSH_KEY_LIFETIME: '2s' },
      ...{ SSM_SSH_KNOWN_HOSTS: 'known_hosts', SSM_SSH_STRICT_HOST_KEY_CHECKING: 'yes' },
    };
    const failures: string[] = [];
    let reads = 0;
    const reading = async (): Promise<void> => {
      while (!isOver) {
        const { exitCode, stderr } = await stage.host.start(['git', 'ls-remote', stage.url], { env }).ended;
        if (exitCode !== 0) failures.push(stderr);
        reads += 1;
      }
    };
    const loop = reading();
    const rotated = await stage.rotate();
    expect([rotated.exitCode, rotated.stdout]).toEqual([0, '']);
    // A login with the old key at the moment of its removal may fail.
    const before = (await stage.git.log()).length;
    const newFingerprint = fingerprintOf(stage.publicKey() ?? '');
    const served = async (): Promise<boolean> =>
      (await stage.git.log()).slice(before).some(({ accepted }) => accepted === newFingerprint);
    while (!(await served())) await sleep(100);
    const finished = await stage.rotate('--finish');
    isOver = true;
    await loop;
    await stage.host.agent(['flush']);
    expect(finished.exitCode).toBe(0);
    expect([failures, reads > 3]).toEqual([[], true]);
    expect(await stage.opens(stage.old.privateKey)).toBe(false);
    expect(stage.registered).toEqual([stage.publicKey()]);
    expect(stage.publicKey()).not.toBe(stage.oldPublicKey);
  });

  it('gives the new key the access, the title and the comment of the old one, and tells each step', async () => {
    const { stderr } = await stage.rotate();
    const [, , entry] = stage.keys.of('acme/lib');
    const today = new Date().toISOString().slice(0, 10);
    expect(entry).toMatchObject({ title: `CI ${today} (${name})`, readOnly: false });
    expect(stderr.split('\n').map((line) => line.replace(/^ssm-ssh-agent: /, ''))).toEqual([
      `the new key is stored in ${name}.next, where nobody reads it yet`,
      `registered the new public key in acme/lib on 127.0.0.1 as "CI ${today} (${name})", with write access`,
      'the host accepts the new key ssh-ed25519',
      `${name} is the new key now, as version 2`,
      'hosts with ssm-ssh take the new key by themselves, jobs take it when they start',
      expect.stringContaining(`rotate ${name} --github-repo acme/lib --api-url`),
      '',
    ]);
    expect(stage.versions.map(({ labels }) => [...labels])).toEqual([['previous'], ['current']]);
    expect(stage.staged).toBeUndefined();
  });

  it('keeps the KMS key and the description of the parameter, and shows no secret', async () => {
    const { stdout, stderr } = await stage.rotate('--json', '--verbose');
    expect(new Set(stage.versions.map(({ keyArn }) => keyArn)).size).toBe(1);
    const told = JSON.parse(stdout) as Record<string, unknown>;
    expect(told).toMatchObject({ reference: name, state: 'rotated', version: '2', type: 'ssh-ed25519' });
    expect(told['publicKey']).toBe(`${stage.publicKey() ?? ''} deploy@acme`);
    expect(told['other']).toMatchObject({ version: '1', publicKey: stage.old.publicKey });
    expect(stdout + stderr).not.toMatch(/PRIVATE KEY|github_pat/);
  });

  it('is refused a second time until --finish or --abort ended the first', async () => {
    await stage.rotate();
    const again = await stage.rotate();
    expect(again.exitCode).toBe(2);
    expect(again.stderr).toMatch(/INPUT_INVALID: the last rotation .*\nhint: .*--finish .*--abort/);
    await stage.rotate('--finish');
    expect(stage.versions.map(({ labels }) => [...labels])).toEqual([[], ['current']]);
    const third = await stage.rotate();
    expect([third.stderr, third.exitCode]).toEqual([expect.stringContaining('as version 3'), 0]);
  });

  it('does nothing twice: --finish and --abort without a rotation say so', async () => {
    for (const action of ['--finish', '--abort']) {
      const { exitCode, stderr } = await stage.rotate(action);
      expect([exitCode, stderr]).toEqual([
        0,
        expect.stringContaining('no rotation of /ci/deploy-key has begun'),
      ]);
    }
    expect(stage.registered).toEqual([stage.oldPublicKey]);
  });

  it('leaves the old key in place if the host refuses the new one', async () => {
    stage.keys.delay = 60_000;
    const { exitCode, stderr } = await stage.rotate();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/PROVIDER_FAILED: the new key of \/ci\/deploy-key does not open ssh:\/\/.*denied/);
    expect(stage.publicKey()).toBe(stage.oldPublicKey);
    stage.keys.delay = 0;
    await stage.rotate('--abort');
    expect([stage.registered, stage.staged]).toEqual([[stage.oldPublicKey], undefined]);
  });

  it('goes back with --abort after the new key was served, and refuses if the old public key is gone', async () => {
    await stage.rotate();
    const aborted = await stage.rotate('--abort');
    expect([aborted.exitCode, aborted.stderr]).toEqual([0, expect.stringContaining('is the old key again')]);
    expect([stage.publicKey(), stage.registered, stage.staged]).toEqual([
      ...[stage.oldPublicKey, [stage.oldPublicKey], undefined],
    ]);
    expect(stage.versions.map(({ labels }) => [...labels])).toEqual([[], [], ['current']]);
    await stage.rotate();
    const oldEntry = stage.keys.of('acme/lib').find(({ key }) => key === stage.oldPublicKey);
    stage.keys.remove('acme/lib', oldEntry?.id ?? 0);
    const refused = await stage.rotate('--abort');
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('the old key of')]);
    expect(stage.registered).toEqual([stage.publicKey()]);
  });

  it('by hand prints the public key and where to register it, proves it, and prints the one to remove', async () => {
    const byHand = (...more: string[]) => stage.run([name, ...more]);
    const staged = await byHand();
    expect([staged.exitCode, staged.stdout]).toEqual([0, `${stage.staged ?? ''} deploy@acme\n`]);
    expect(staged.stderr).toContain('rotate /ci/deploy-key --registered --test');
    const early = await byHand('--registered', ...stage.testing);
    expect([early.exitCode, stage.publicKey()]).toEqual([1, stage.oldPublicKey]);
    stage.keys.add({ repository: 'acme/lib', title: 'new', key: stage.staged ?? '', readOnly: false });
    const unproven = await byHand('--registered');
    expect([unproven.exitCode, unproven.stderr]).toEqual([2, expect.stringContaining('--test git@HOST')]);
    const rotated = await byHand('--registered', ...stage.testing);
    expect([rotated.exitCode, stage.publicKey()]).toEqual([0, stage.registered[1]]);
    const finished = await byHand('--finish', ...stage.testing);
    expect([finished.exitCode, finished.stdout]).toEqual([0, `${stage.old.publicKey}\n`]);
    expect(finished.stderr).toContain('remove the public key above');
  });

  it.each([
    ['with', true],
    ['without', false],
  ])('refuses to go on if somebody else stored a key meanwhile, %s a label', async (_, isLabelled) => {
    await stage.run([name]);
    const { put } = stage.host.world;
    stage.keys.add({ repository: 'acme/lib', title: 'new', key: stage.staged ?? '', readOnly: false });
    if (isLabelled) stage.versions[0]?.labels.add('previous');
    // AWS's clock has milliseconds.
    await sleep(5);
    put(name, stage.stranger.privateKey);
    const refused = await stage.rotate();
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('changed by somebody else'),
    ]);
    expect(refused.stderr).toContain('--abort keeps');
    const finished = await stage.rotate('--finish');
    expect([finished.exitCode, finished.stderr]).toEqual([2, expect.stringContaining('--abort keeps')]);
    const aborted = await stage.rotate('--abort');
    expect(aborted.exitCode).toBe(0);
    expect([stage.registered, stage.staged]).toEqual([[stage.oldPublicKey], undefined]);
    expect(stage.privateKey).toBe(stage.stranger.privateKey);
  });

  it('goes on if somebody stored the same key again meanwhile', async () => {
    await stage.run([name]);
    await sleep(5);
    stage.host.world.put(name, stage.old.privateKey);
    expect((await stage.rotate()).exitCode).toBe(0);
    expect(stage.registered).toEqual([stage.oldPublicKey, stage.publicKey()]);
  });

  it('goes on after an --abort that could not remove the staged key, and blames nobody else', async () => {
    await stage.rotate();
    const fault = { error: { code: 'AccessDeniedException', message: 'denied for a moment' } };
    stage.host.world.aws.faults.order({ operation: 'ssm:DeleteParameter', fault, times: 1 });
    expect((await stage.rotate('--abort')).exitCode).toBe(1);
    expect([stage.publicKey(), stage.registered]).toEqual([stage.oldPublicKey, [stage.oldPublicKey]]);
    const { stderr, exitCode } = await stage.rotate();
    expect([stderr, exitCode]).toEqual([expect.stringContaining('is the new key now'), 0]);
    expect(stage.registered).toEqual([stage.oldPublicKey, stage.publicKey()]);
  });

  it('does not go back if somebody else stored a key after the rotation, and names --finish', async () => {
    await stage.rotate();
    stage.host.world.put(name, stage.stranger.privateKey);
    const refused = await stage.rotate('--abort');
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('--finish keeps')]);
    const finished = await stage.rotate('--finish');
    expect([finished.exitCode, finished.stderr]).toEqual([0, expect.stringContaining('has one key')]);
  });

  it('replaces a parameter that is named by its ARN', async () => {
    const { exitCode, stderr } = await stage.run([arnIn(ACCOUNT), ...stage.options]);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('is the new key now, as version 2')]);
    expect(stage.publicKey()).not.toBe(stage.oldPublicKey);
  });

  it('shows no control characters of a title that somebody chose at the host', async () => {
    const entry = stage.keys.of('acme/lib').find(({ key }) => key === stage.oldPublicKey);
    stage.keys.remove('acme/lib', entry?.id ?? 0);
    const title = 'CI \u001b[2J\n::error::';
    stage.keys.add({ repository: 'acme/lib', title, key: stage.oldPublicKey, readOnly: true });
    const { stderr, exitCode } = await stage.rotate();
    const finished = await stage.rotate('--finish');
    expect([exitCode, finished.exitCode]).toEqual([0, 0]);
    expect(stderr + finished.stderr).toContain('CI \\x1b[2J\\n::error::');
    expect(stderr + finished.stderr).not.toContain('\u001b');
    expect(stderr + finished.stderr).not.toMatch(/^::/m);
  });

  it.each([
    [[`${name}:7`], 2, 'INPUT_INVALID', 'names one version'],
    [['new:ed25519'], 2, 'INPUT_INVALID', 'is not stored'],
    [[arnIn('444455556666')], 2, 'INPUT_INVALID', 'belongs to another account than these credentials'],
    [[name, '--github-repo', 'acme/lib'], 2, 'INPUT_INVALID', '--github-repo needs a token'],
    [[name, '--finish', '--abort'], 2, 'INPUT_INVALID', '--finish and --abort'],
    [[name, '--test', 'https://github.com/acme/lib'], 2, 'INPUT_INVALID', '--test is not the ssh address'],
    [[name, '--registered', '--test', 'git@h:o/r'], 2, 'INPUT_INVALID', 'has no new key'],
    [['/ci/nothing'], 1, 'KEY_ACCESS_DENIED', '/ci/nothing'],
  ])('refuses %j before anything is changed', async (...[args, code, errorCode, text]) => {
    const { exitCode, stdout, stderr } = await stage.run(args);
    expect([exitCode, stdout]).toEqual([code, '']);
    expect(stderr).toMatch(new RegExp(`^ssm-ssh-agent: ${errorCode}: .*\nhint: .*\n$`));
    expect(stderr).toContain(text);
    expect(stage.host.world.aws.calls.filter(({ operation }) => /Put|Label|Delete/.test(operation))).toEqual(
      [],
    );
  });
});
