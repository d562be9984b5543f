/** What the launchers hand on: the environment of the caller, whatever names they use themselves. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { callersVariables, readVariables } from '../support/assigned-names.ts';
import { shells } from '../support/shells.ts';
import { itInTurn as it } from '../support/parts.ts';

const helper = join(dirname(dirname(import.meta.dirname)), 'helper');

describe('a launcher', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'launchers-'));
    for (const name of ['bin', 'job', 'job/bin']) mkdirSync(join(folder, name));
    writeFileSync(
      join(folder, 'bin/node'),
      '#!/bin/sh\n[ "$1" != --version ] || exec echo v24.0.0\nexec env\n',
      { mode: 0o755 },
    );
    symlinkSync(join(helper, 'ssm-ssh-agent'), join(folder, 'bin/linked'));
    for (const name of ['ssm-ssh-agent', 'launch.sh'])
      writeFileSync(join(folder, 'job/bin', name), readFileSync(join(helper, name)));
    writeFileSync(join(folder, 'job/installation'), `${dirname(helper)}\n${join(folder, 'bin/node')}\n\n`);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['ssm-ssh-agent', () => join(helper, 'ssm-ssh-agent'), ['exec']],
    ['ssm-ssh-agent by a link', () => join(folder, 'bin/linked'), ['exec']],
    ['ssm-ssh-agent of a job', () => join(folder, 'job/bin/ssm-ssh-agent'), ['exec']],
    ['ssm-ssh-agent proxy', () => join(helper, 'ssm-ssh-agent'), ['proxy']],
    ['git-credential-ssm', () => join(helper, 'git-credential-ssm'), ['--store-prefix=/x', 'get']],
  ] as const)("hands the caller's variables on: %s", (...[, program, args]) => {
    const names = [
      'program',
      'node',
      'helper',
      'self',
      'installation',
      'target',
      'operation',
      'prefix',
      'word',
    ];
    for (const name of names) expect(callersVariables).toHaveProperty(name);
    for (const shell of shells) {
      const [file, ...options] = shell;
      const printed = execFileSync(file, [...options, program(), ...args], {
        env: { ...callersVariables, PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`, HOME: folder },
        encoding: 'utf8',
      });
      expect([shell, readVariables(printed)]).toEqual([shell, callersVariables]);
    }
  });

  it('puts the mark into its errors by which doctor knows them', () => {
    for (const [file, ...options] of shells) {
      const { stderr } = spawnSync(file, [...options, join(helper, 'ssm-ssh-agent'), 'exec'], {
        env: { PATH: process.env['PATH'] ?? '', SSM_SSH_NODE: '/none', _SSM_MARK: ' [0f1e]' },
        encoding: 'utf8',
      });
      expect(stderr).toMatch(/^ssm-ssh-agent \[0f1e\]: INPUT_INVALID: SSM_SSH_NODE .*\nhint: .*\n$/);
    }
  });
});
