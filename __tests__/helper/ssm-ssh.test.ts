import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const source = join(dirname(dirname(import.meta.dirname)), 'helper/ssm-ssh');
const installed = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;
const shells = [['sh'], ['dash'], ['bash', '--posix'], ['busybox', 'ash']].filter(([program = '', ...args]) =>
  installed(program, ...args, '-c', 'exit 0'),
);
const shellcheck = installed('shellcheck', '--version');
if (!shellcheck) console.warn('not run here: shellcheck is not installed');

describe('helper/ssm-ssh', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ssm-ssh-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const install = (name: string): string => {
    const job = join(folder, name);
    const program = join(job, 'bin/ssm-ssh');
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(join(job, 'strict'), 'accept-new\n');
    copyFileSync(source, program);
    chmodSync(program, 0o700);
    return program;
  };
  /** What ssh itself makes of the options. */
  const settings = (output: string): Record<string, string> => {
    const lines = output
      .split('\n')
      .map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const);
    return Object.fromEntries(lines);
  };

  (shellcheck ? it : neverRun)('is clean under shellcheck', () => {
    expect(execFileSync('shellcheck', [source], { encoding: 'utf8' })).toBe('');
  });

  it.each(shells.map((shell) => [shell.join(' '), shell] as const))(
    'under %s gives ssh what is beside it',
    (...[, shell]) => {
      for (const name of ['job', 'a job', "the runner's", '100%', '%h%%']) {
        const [program = '', ...args] = shell;
        const output = execFileSync(program, [...args, install(name), '-G', 'host.test'], {
          encoding: 'utf8',
        });
        const job = join(folder, name);
        const home = join(userInfo().homedir, '.ssh/known_hosts');
        expect(settings(output)).toMatchObject({
          identityagent: `${job}/agent`,
          stricthostkeychecking: 'accept-new',
          userknownhostsfile: `${job}/known_hosts ${home} ${home}2`,
        });
      }
    },
  );

  it('says how to get ssh where there is none, with the exit code of ssh itself', () => {
    const bin = join(folder, 'empty');
    mkdirSync(bin);
    const { status, stderr } = spawnSync('/bin/sh', [install('no-ssh'), 'host.test'], {
      env: { PATH: bin },
      encoding: 'utf8',
    });
    expect(status).toBe(255);
    expect(stderr).toMatch(/^ssm-ssh: SSH_NOT_FOUND: .*\nhint: install it: /);
  });
});

/** In the place of `it` where the machine cannot show what the test is about. */
function neverRun(): void {}
