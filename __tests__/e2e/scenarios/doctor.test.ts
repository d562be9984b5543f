/** `doctor` with access keys in the environment: a sound key, a missing one, a secret, and a host. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { startBackend, type Backend } from '../../support/backend.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { actionPath } from '../stage.ts';

const program = join(actionPath, 'helper/ssm-ssh-agent');

describe('doctor on a machine with access keys', () => {
  let aws: Backend;
  let key: SshKey;
  let home: string;

  beforeAll(async () => {
    [aws, key] = await Promise.all([startBackend(), makeSshKey()]);
    home = mkdtempSync(join(tmpdir(), 'doctor-'));
  });
  afterAll(async () => {
    rmSync(home, { recursive: true });
    await aws.stop();
  });

  const findings = async (...args: readonly string[]): Promise<Map<string, Finding>> => {
    const env = {
      ...aws.credentialEnvironment(),
      ...{ AWS_REGION: aws.region, HOME: home, TMPDIR: home, PATH: process.env['PATH'] ?? '' },
      GIT_CONFIG_NOSYSTEM: '1',
    };
    const stdout = await new Promise<string>((resolve) => {
      execFile(program, ['doctor', '--json', ...args], { env, cwd: home }, (_, text) => {
        resolve(text);
      });
    });
    return new Map((JSON.parse(stdout) as Finding[]).map((finding) => [finding.check, finding]));
  };

  it('finds a key sound, whose it is that asks, and each service reachable', async () => {
    await aws.put('/ci/doctor', key.privateKey);
    const found = await findings('/ci/doctor');
    expect(found.get('identity')?.detail).toContain(`in the account ${aws.account}`);
    expect(found.get('read /ci/doctor')?.status).toBe('ok');
    expect(found.get('key /ci/doctor')?.detail).toBe(`ssh-ed25519 ${key.fingerprint}`);
    for (const check of ['network sts', 'network ssm', 'clock', 'region'])
      expect([check, found.get(check)?.status]).toEqual([check, 'ok']);
  });

  it('finds a parameter missing, and skips its key', async () => {
    const found = await findings('/ci/nowhere');
    expect(found.get('read /ci/nowhere')).toMatchObject({
      status: 'fail',
      detail: expect.stringMatching(/^KEY_NOT_FOUND: /) as unknown,
    });
    expect(found.get('key /ci/nowhere')?.status).toBe('skip');
  });

  it('finds a secret, and an instance that runs or is stopped', async () => {
    await aws.putSecret('ci/doctor', key.privateKey);
    const running = await aws.launch({ tags: { Name: 'web' }, state: 'running' });
    const stopped = await aws.launch({ tags: { Name: 'old' }, state: 'stopped' });
    const found = await findings('secretsmanager:ci/doctor', '--host', running, '--host', stopped);
    expect(found.get('read secretsmanager:ci/doctor')?.detail).toMatch(/^a secret, read and decrypted/);
    expect(found.get(`instance ${running}`)?.status).toBe('ok');
    expect(found.get(`instance ${stopped}`)?.detail).toMatch(/^TARGET_NOT_FOUND: .* is stopped/);
  });
});
