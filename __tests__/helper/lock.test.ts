/** The lock of ssm-ssh where there is no flock. What many processes do with it, e2e/host/without-flock shows. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { shells } from '../support/shells.ts';

const project = dirname(dirname(import.meta.dirname));

describe('a lock without flock', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it.each(shells.map((shell) => [shell.join(' '), shell] as const))(
    'is taken at once from a process that has ended, under %s',
    (...[name, [file, ...options]]) => {
      const lock = join(folder, name);
      symlinkSync(spawnSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).stdout.trim(), lock);
      const script = '. "$1/helper/ssm-ssh-ask.sh"; take "$2"; [ "$(readlink "$2")" = $$ ] && echo taken';
      const { stdout } = spawnSync(file, [...options, '-uc', script, 'sh', project, lock], {
        ...{ encoding: 'utf8', timeout: 5000, killSignal: 'SIGKILL' },
      });
      expect(stdout).toBe('taken\n');
      expect(readdirSync(folder).filter((entry) => entry.startsWith(`${name}.`))).toEqual([]);
    },
  );
});
