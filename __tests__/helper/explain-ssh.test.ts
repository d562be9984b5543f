/** Which keys explain finds for git, and for ssh; that git and ssm-ssh do so, e2e/explain.test.ts shows. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { explainSsh } from '../../helper/explain/ssh.ts';
import { parseTarget } from '../../helper/explain/target.ts';

describe("a repository's own key", () => {
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
  ])('is offered for a repository, and not for a host alone: %s', async (text, keys) => {
    const target = parseTarget(text);
    if (target.kind !== 'ssh') throw new Error(target.kind);
    const part = await explainSsh(target, { env, signal: AbortSignal.timeout(20_000) });
    expect(part.keys.map(({ reference }) => reference)).toEqual(keys);
    expect(part.passedOver.map(({ what }) => what)).toEqual(keys.length === 0 ? ['/ci/own'] : []);
  });
});
