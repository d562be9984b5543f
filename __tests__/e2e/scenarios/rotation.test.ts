/** A rotation by hand, with a real git host: on the local AWS and on moto. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { actionPath, useStage } from '../stage.ts';

const launcher = join(actionPath, 'helper/ssm-ssh-agent');

interface Told {
  readonly state: string;
  readonly version: string;
  readonly publicKey: string;
  readonly next?: { readonly publicKey: string };
  readonly other?: { readonly version: string };
}

describe('a rotation', () => {
  const stage = useStage();
  let aws: Backend;
  let folder: string;

  beforeEach(async () => {
    aws = await startBackend();
    folder = mkdtempSync(join(tmpdir(), 'rotation-'));
    writeFileSync(join(folder, 'known_hosts'), stage.host.knownHosts);
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await aws.stop();
  });

  const rotate = (name: string, ...more: string[]): Promise<Told> => {
    const test = ['--test', stage.host.url('acme/lib'), '--known-hosts', 'known_hosts'];
    return run('rotate', name, ...test, ...more);
  };
  const run = (command: string, ...more: string[]): Promise<Told> => {
    const args = [command, '--json', '--quiet', ...more];
    const env = {
      ...aws.credentialEnvironment(),
      ...{ PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder, AWS_REGION: aws.region },
    };
    return new Promise((resolve, reject) => {
      execFile(launcher, args, { env, cwd: folder }, (error, stdout, stderr) => {
        if (error) reject(new Error(stderr, { cause: error }));
        else resolve(JSON.parse(stdout) as Told);
      });
    });
  };

  async function walk(name: string): Promise<Told[]> {
    const staged = await rotate(name);
    expect(staged.state).toBe('staged');
    const publicKey = staged.next?.publicKey ?? '';
    stage.host.addDeployKey({ repository: 'acme/lib', publicKey });
    const rotated = await rotate(name, '--registered');
    expect(rotated).toMatchObject({ state: 'rotated', publicKey });
    await expect(rotate(name)).rejects.toThrow('is not finished');
    const back = await rotate(name, '--abort');
    expect(back).toMatchObject({ state: 'aborted', publicKey: staged.publicKey });
    stage.host.removeKey(publicKey);
    const again = await rotate(name);
    stage.host.addDeployKey({ repository: 'acme/lib', publicKey: again.next?.publicKey ?? '' });
    const second = await rotate(name, '--registered');
    const finished = await rotate(name, '--finish');
    expect(await rotate(name, '--finish')).toMatchObject({ state: 'unchanged' });
    stage.host.removeKey(finished.publicKey);
    return [rotated, back, second, finished];
  }

  it('of a parameter moves labels, goes back and ends', async () => {
    await aws.put('/ci/rotated', stage.key.privateKey);
    const told = await walk('/ci/rotated');
    expect(told.map(({ state, version }) => [state, version])).toEqual([
      ['rotated', '2'],
      ['aborted', '3'],
      ['rotated', '4'],
      ['finished', '4'],
    ]);
    expect(told[3]?.other?.version).toBe('3');
  });

  it('of a key in KMS moves its alias, goes back and ends', async () => {
    const made = await run('keygen', 'kms:alias/rotated', '--type', 'ecdsa');
    stage.host.addDeployKey({ repository: 'acme/lib', publicKey: made.publicKey });
    const told = await walk('kms:alias/rotated');
    expect(told.map(({ state }) => state)).toEqual(['rotated', 'aborted', 'rotated', 'finished']);
    expect(new Set(told.map(({ version }) => version)).size).toBe(3);
  });

  it('of a secret moves staging labels, goes back and ends', async () => {
    await aws.putSecret('ci/rotated', JSON.stringify({ key: stage.key.privateKey }));
    const told = await walk('secretsmanager:ci/rotated:key');
    expect(told.map(({ state }) => state)).toEqual(['rotated', 'aborted', 'rotated', 'finished']);
  });
});
