import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeJobFolder } from '../support/job-folder.ts';

describe('helper/ssm-ssh, where no key of the job is for the host,', () => {
  let folder: string;
  let program: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'agent-of-caller-'));
    for (const [name, before] of [
      ['first', '/before'],
      ['second', '/elsewhere/first/agent'],
      ['without', ''],
    ] as const) {
      const earlier = { second: 'first', without: 'second' }[name as string] ?? '';
      program = makeJobFolder(join(folder, name), { keys: ['gitlab.com'], before: earlier });
      writeFileSync(join(folder, name, 'agent-before'), `${before}\n`);
    }
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/ssh'), '#!/bin/sh\necho "${SSH_AUTH_SOCK-unset}"\n', { mode: 0o755 });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['that a later step has set', '/later/agent', '/later/agent'],
    ['that was before the first use, for the first one’s', '/temp/first/agent', '/before'],
    ['that was before the first use, for the second one’s', '/temp/second/agent', '/before'],
    ['that is none', '', ''],
    ['that is not set', undefined, 'unset'],
  ])('leaves ssh the agent %s', (_, socket, left) => {
    const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: folder };
    const output = execFileSync(program, ['github.com'], {
      env: { ...env, ...(socket !== undefined && { SSH_AUTH_SOCK: socket }) },
      encoding: 'utf8',
    });
    expect(output).toBe(`${left}\n`);
  });
});
