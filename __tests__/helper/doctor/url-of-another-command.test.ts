/** doctor --url where git runs another ssh command. The repository and its configuration are real. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { credentialRoutes, readConfiguration } from '../../../helper/doctor/configuration.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { checkUrl } from '../../../helper/doctor/urls.ts';

describe('a URL for which git runs another ssh command', () => {
  const url = 'git@git.invalid:acme/lib.git';
  const before = process.cwd();
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'another-command-'));
    process.chdir(home);
    execFileSync('git', ['init', '-q'], { cwd: home });
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(home, { recursive: true });
  });

  const check = async (more: Record<string, string>): Promise<Finding[]> => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, GIT_CONFIG_NOSYSTEM: '1', ...more };
    const signal = AbortSignal.timeout(20_000);
    const configuration = await readConfiguration({ env, signal });
    const routes = credentialRoutes(configuration, env);
    const given = { env, signal, installation: '/opt/x', lines: [], configuration, routes, account: [] };
    return await checkUrl(url, given);
  };

  it.each([
    ['core.sshCommand', {}],
    ['GIT_SSH_COMMAND', { GIT_SSH_COMMAND: 'ssh -i /a/key' }],
  ])('is not tried with plain ssh, and nothing is unset: %s', async (name, env) => {
    const git = (...args: string[]): unknown => execFileSync('git', args, { cwd: home });
    git('config', 'ssm.key', '/ci/k');
    if (name === 'core.sshCommand') git('config', name, 'ssh -i /a/key');
    const found = await check(env);
    expect(found.map(({ status }) => status)).toEqual(['ok', 'skip', 'skip']);
    expect(found[1]?.detail).toBe('git runs another command, which doctor does not start');
    expect(found[2]?.remedy).toBe(`git ls-remote -- ${url}`);
    expect(JSON.stringify(found)).not.toContain('unset');
  });
});
