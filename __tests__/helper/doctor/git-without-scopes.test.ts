/** doctor with a git that is too old to tell scopes (before 2.26): the user's own settings are not the repository's. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { credentialRoutes, readConfiguration } from '../../../helper/doctor/configuration.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { checkIgnored } from '../../../helper/doctor/git-sections.ts';

let home: string;
let env: Record<string, string>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'old-git-'));
  const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const older = `for word; do [ "$word" != --show-scope ] || exit 129; done\nexec ${git} "$@"`;
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin/git'), `#!/bin/sh\n${older}\n`, { mode: 0o755 });
  env = {
    ...{ PATH: `${home}/bin:${process.env['PATH'] ?? ''}`, HOME: home, LC_ALL: 'C' },
    GIT_CONFIG_NOSYSTEM: '1',
  };
  const own = '[ssm]\nregion = eu-west-1\ntimeout = 5s\n[ssm "github.com"]\ncredential = /ci/token\n';
  writeFileSync(join(home, '.gitconfig'), own);
  run('git init -q repo');
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

function run(script: string, folder = home): string {
  return execFileSync('sh', ['-e', '-c', script], { cwd: folder, env, encoding: 'utf8' });
}

async function ignored(): Promise<Finding> {
  const before = process.cwd();
  process.chdir(join(home, 'repo'));
  try {
    const configuration = await readConfiguration({ env, signal: AbortSignal.timeout(20_000) });
    return checkIgnored({ configuration, routes: credentialRoutes(configuration, env), env });
  } finally {
    process.chdir(before);
  }
}

describe('doctor, if git tells no scopes', () => {
  it("does not take the user's settings for the repository's", async () => {
    expect(await ignored()).toMatchObject({ status: 'ok' });
  });

  it("removes the repository's settings, and leaves the user's", async () => {
    run('git config ssm.region evil-1; git config ssm.evil.example.credential /ci/token', join(home, 'repo'));
    const found = await ignored();
    expect(found).toMatchObject({ status: 'warn' });
    expect(found.detail).toContain('sets ssm.region, ssm.*.credential, which');
    const before = run('git config --global --list');
    run(found.remedy, join(home, 'repo'));
    expect(await ignored()).toMatchObject({ status: 'ok' });
    expect(run('git config --global --list')).toBe(before);
  });
});
