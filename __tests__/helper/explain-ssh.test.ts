/** Which keys explain finds for git, for ssh and for HTTPS; that git and ssm-ssh do so, e2e/explain.test.ts shows. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { explainHttps } from '../../helper/explain/https.ts';
import { explainSsh } from '../../helper/explain/ssh.ts';
import { parseTarget } from '../../helper/explain/target.ts';
import { cacheEntries } from '../../src/git/credential-cache.ts';
import { configurationVariables } from '../../src/git/job-configuration.ts';

describe('explain in a repository with a key of its own', () => {
  const before = process.cwd();
  let home: string;
  let env: Record<string, string>;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'explain-'));
    env = {
      ...{ PATH: process.env['PATH'] ?? '', HOME: home, GIT_CONFIG_NOSYSTEM: '1' },
      GIT_SSH_COMMAND: '/opt/ssm-ssh',
    };
    process.chdir(home);
    execFileSync('sh', ['-c', 'git init -q && git config ssm.key /ci/own'], { env });
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(home, { recursive: true });
  });

  it.each([
    ['git@github.com:acme/lib.git', ['/ci/own']],
    // git asks for the path that is empty, and ssm-ssh sees no repository.
    ['git@github.com:', []],
    ['ssh://git@github.com', []],
    ['git@github.com', []],
  ])('offers that for a repository, and not for a host alone: %s', async (text, keys) => {
    const target = parseTarget(text);
    if (target.kind !== 'ssh') throw new Error(target.kind);
    const part = await explainSsh(target, { env, signal: AbortSignal.timeout(20_000) });
    expect(part.keys.map(({ reference }) => reference)).toEqual(keys);
    expect(part.passedOver.map(({ what }) => what)).toEqual(keys.length === 0 ? ['/ci/own'] : []);
  });

  it.each([
    ['https://git.example.com/acme/lib', true],
    ['https://git.example.com:443/acme/lib', true],
    ['https://git.example.com:8443/acme/lib', false],
  ])('says why a credential is passed over for %s, by the port', async (url, isFor) => {
    const settings = ['git.example.com', 'git.example.com/acme'].map(
      (name) => `git config --global 'ssm.${name}.credential' /ci/token`,
    );
    execFileSync('sh', ['-c', settings.join(' && ')], { env });
    const part = await explainHttps(new URL(url), { env, signal: AbortSignal.timeout(20_000) });
    const why = isFor ? /^it is less specific/ : /^it names something else/;
    expect(part.passedOver.map((passed) => passed.why)).toContainEqual(expect.stringMatching(why));
  });

  it('says that a credential is from the environment', async () => {
    Object.assign(env, { SSM_SSH_CREDENTIAL: '/ci/token', SSM_SSH_CREDENTIAL_HOST: 'git.example.com' });
    const url = new URL('https://gitlab.com/acme/lib');
    const { passedOver } = await explainHttps(url, { env, signal: AbortSignal.timeout(20_000) });
    expect(passedOver).toMatchObject([
      { what: '/ci/token', source: { name: 'SSM_SSH_CREDENTIAL', scope: 'environment' } },
    ]);
  });

  it('offers the token of a GitHub App where the action has set it', async () => {
    const place = { host: 'github.com', username: 'x-access-token' };
    const entries = cacheEntries('https://github.com/acme', '/tmp/ssm-ssh-agent-0123abcd/git0', place);
    Object.assign(env, configurationVariables({}, entries), { SSM_SSH_CREDENTIAL: '/ci/token' });
    const signal = AbortSignal.timeout(20_000);
    const [ours, other] = await Promise.all(
      ['acme', 'other'].map((owner) =>
        explainHttps(new URL(`https://github.com/${owner}/lib`), { env, signal }),
      ),
    );
    expect(ours).toMatchObject({
      offered: true,
      answer: expect.stringContaining('the token of a GitHub App'),
    });
    expect(other?.offered).toBe(false);
  });
});
