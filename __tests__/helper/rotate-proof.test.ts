import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { prove } from '../../helper/rotate/prove.ts';
import { generateKey, parseKeyKind } from '../../src/keys/generate-key.ts';

describe('the proof of a new key', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'proof-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('does not wait for a host to know the key if there is no ssh', async () => {
    const script = `#!/bin/sh\necho once >>'${folder}/tries'\necho 'error: cannot run ssh: No such file' >&2\nexit 128\n`;
    writeFileSync(join(folder, 'git'), script);
    execFileSync('chmod', ['755', join(folder, 'git')]);
    const key = await generateKey(parseKeyKind(), 'x');
    const proof = { key, resource: 'the new key', url: 'git@h:a/b', knownHosts: '', isNew: true, hint: 'x' };
    const running = {
      env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` },
      signal: new AbortController().signal,
    };
    await expect(prove(proof, running)).rejects.toMatchObject({ code: 'SSH_NOT_FOUND' });
    expect(readFileSync(join(folder, 'tries'), 'utf8')).toBe('once\n');
  });
});
