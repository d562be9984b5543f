import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect } from '@jest/globals';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { itInTurn as it } from '../support/parts.ts';
import { useRotateStage } from './rotate-stage.ts';

const name = 'secretsmanager:ci/deploy:key';

describe('ssm-ssh-agent rotate with a secret', () => {
  const stage = useRotateStage();
  beforeEach(() => {
    stage.host.world.putSecret('ci/deploy', secretOf(stage.old.privateKey));
  });

  /** 1.0 and 1 are different texts: the rest of the secret stays as somebody wrote it. */
  const secretOf = (key: string): string =>
    `{"user": "deploy",  "key": ${JSON.stringify(key)}, "limit": 1.0}`;
  const rotate = (...more: string[]) => stage.run([name, ...stage.options, ...more]);
  const keyAt = (label: string): string | undefined => {
    const { key } = JSON.parse(stage.secretText(label) ?? '{}') as { key?: string };
    if (key === undefined) return undefined;
    return authorizedKeysLine({ ...parsePrivateKey(key, name).publicKey, comment: '' });
  };
  const old = 'AWSPREVIOUS';

  it('moves AWSCURRENT to a version with the new key, and keeps the rest of the JSON', async () => {
    const rotated = await rotate();
    expect([rotated.stderr, rotated.exitCode]).toEqual([expect.stringContaining('is the new key now'), 0]);
    expect(stage.registered).toEqual([stage.oldPublicKey, keyAt('AWSCURRENT')]);
    const { key } = JSON.parse(stage.secretText('AWSCURRENT') ?? '') as { key: string };
    expect(stage.secretText('AWSCURRENT')).toBe(secretOf(key));
    expect([keyAt(old), keyAt('previous'), keyAt('next')]).toEqual([
      ...[stage.oldPublicKey, stage.oldPublicKey, undefined],
    ]);
    expect((await rotate('--finish')).exitCode).toBe(0);
    expect([stage.registered, keyAt('previous')]).toEqual([[keyAt('AWSCURRENT')], undefined]);
  });

  it('keeps the rest of a JSON that is stored as bytes', async () => {
    stage.host.world.putSecret('ci/deploy', Buffer.from(secretOf(stage.old.privateKey)));
    expect((await rotate()).exitCode).toBe(0);
    const { key } = JSON.parse(stage.secretText('AWSCURRENT') ?? '') as { key: string };
    expect(stage.secretText('AWSCURRENT')).toBe(secretOf(key));
  });

  it('goes back with --abort, also after AWSCURRENT was moved', async () => {
    await rotate();
    const aborted = await rotate('--abort');
    expect([aborted.exitCode, keyAt('AWSCURRENT'), stage.secretText('next')]).toEqual([
      ...[0, stage.oldPublicKey, undefined],
    ]);
    expect([stage.registered, keyAt('previous')]).toEqual([[stage.oldPublicKey], undefined]);
  });

  it('does not undo a change of another member, made after the new key was staged', async () => {
    await stage.run([name]);
    expect(keyAt('AWSCURRENT')).toBe(stage.oldPublicKey);
    const changed = secretOf(stage.old.privateKey).replace('1.0', '2');
    stage.host.world.putSecret('ci/deploy', changed);
    const refused = await rotate();
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('changed by somebody else'),
    ]);
    expect((await rotate('--abort')).exitCode).toBe(0);
    expect([stage.secretText('AWSCURRENT'), stage.secretText('next')]).toEqual([changed, undefined]);
    expect((await rotate()).exitCode).toBe(0);
    expect(stage.secretText('AWSCURRENT')).toContain('"limit": 2');
  });

  it('refuses to go on if somebody else stored a key meanwhile', async () => {
    await stage.run([name]);
    await sleep(5);
    stage.host.world.putSecret('ci/deploy', secretOf(stage.stranger.privateKey));
    const refused = await rotate();
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining('changed by somebody else'),
    ]);
    expect([(await rotate('--abort')).exitCode, stage.secretText('next')]).toEqual([0, undefined]);
    expect(stage.secretText('AWSCURRENT')).toBe(secretOf(stage.stranger.privateKey));
  });

  it('leaves the rotation of another member of the secret alone, and names it', async () => {
    const member = (key: string, ...more: string[]) =>
      stage.run([`secretsmanager:ci/deploy:${key}`, ...more]);
    const { privateKey: key } = stage.old;
    stage.host.world.putSecret('ci/deploy', JSON.stringify({ key, other: stage.stranger.privateKey }));
    const refusesOther = async (): Promise<void> => {
      const labels = ['AWSCURRENT', 'previous', 'next', 'current'];
      const before = labels.map((label) => stage.secretText(label));
      for (const action of [[], ['--finish'], ['--abort']]) {
        const { exitCode, stderr } = await member('other', ...stage.options, ...action);
        expect([exitCode, stderr]).toEqual([
          2,
          expect.stringMatching(/another member .*: key\nhint: .*--version-stage LABEL/),
        ]);
      }
      expect(labels.map((label) => stage.secretText(label))).toEqual(before);
    };
    await member('key');
    await refusesOther();
    expect((await rotate()).exitCode).toBe(0);
    await refusesOther();
    stage.host.world.putSecret('ci/deploy', JSON.stringify({ key: stage.old.privateKey }));
    expect((await rotate('--finish')).exitCode).toBe(0);
  });

  it('counts a moved label as moved if the first answer was lost', async () => {
    const operation = 'secretsmanager:UpdateSecretVersionStage';
    for (const skip of [0, 2, 4, 6]) {
      stage.host.world.aws.faults.order({ operation, fault: 'cut', times: 1, skip });
    }
    const { exitCode, stderr } = await rotate();
    expect([stderr, exitCode]).toEqual([expect.stringContaining('is the new key now'), 0]);
    expect([keyAt('AWSCURRENT'), keyAt('next')]).toEqual([stage.registered[1], undefined]);
  });

  const writes: ['hang' | 'unanswered', string, number][] = [
    ['hang', 'PutSecretValue', 0],
    ['unanswered', 'PutSecretValue', 0],
    ...[0, 1, 2, 3].flatMap((skip): ['hang' | 'unanswered', string, number][] => [
      ['hang', 'UpdateSecretVersionStage', skip],
      ['unanswered', 'UpdateSecretVersionStage', skip],
    ]),
  ];
  it.each(writes)(
    'goes on after it was killed: %s at %s, after %i of them',
    async (...[fault, call, skip]) => {
      const { aws } = stage.host.world;
      const operation = `secretsmanager:${call}`;
      const made = (): number => aws.calls.filter((one) => one.operation === operation).length;
      aws.faults.order({ operation, fault, skip, times: 1 });
      const { child, ended } = stage.startRun([name, ...stage.options]);
      while (made() <= skip && child.exitCode === null) await sleep(5);
      await sleep(30);
      child.kill('SIGKILL');
      expect((await ended).signal).toBe('SIGKILL');
      aws.faults.clear();
      expect(stage.registered).toContain(keyAt('AWSCURRENT'));
      const again = await rotate();
      expect(again.exitCode === 0 || again.stderr.includes('is not finished')).toBe(true);
      expect(stage.registered).toEqual([stage.oldPublicKey, keyAt('AWSCURRENT')]);
      expect([keyAt('previous'), keyAt('next')]).toEqual([stage.oldPublicKey, undefined]);
    },
  );
});
