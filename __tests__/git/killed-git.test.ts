/** A git that is ended by a signal has not answered. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { listSettings } from '../../src/git/config-file.ts';

it('a git that is killed while it reads its configuration is an error, and not a git without settings', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'killed-git-'));
  const git = join(folder, 'git');
  try {
    writeFileSync(git, '#!/bin/sh\nkill -KILL $$\n');
    chmodSync(git, 0o755);
    // Its own way to end: 1 would mean that nothing is set.
    expect(() => execFileSync(git)).toThrow('Command failed');
    const options = { env: { PATH: folder }, signal: AbortSignal.timeout(20_000) };
    await expect(listSettings('^ssm\\.', options)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: 'git cannot read its configuration: git config ended with exit code 137',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
