/** An ssh command that setup did not write, in each of the files that git reads for a scope. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Io } from '../../../helper/command-line/command.ts';
import { run } from '../../../helper/command-line/program.ts';

const theirs = '[core]\n\tsshCommand = ssh -i /mine\n';

describe('setup where git has an ssh command of somebody else', () => {
  let home: string;
  let env: Record<string, string>;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'theirs-'));
    env = {
      ...{ PATH: process.env['PATH'] ?? '', HOME: home, LC_ALL: 'C' },
      ...{ GIT_CONFIG_SYSTEM: join(home, 'system'), XDG_CONFIG_HOME: join(home, 'xdg') },
    };
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  async function setup(...args: string[]): Promise<readonly [number, string]> {
    let said = '';
    const io = {
      ...{ env, out: () => undefined, err: (text: string) => (said += text) },
      ...{ signals: { on: () => undefined, off: () => undefined }, installation: '/opt/x' },
      node: process.execPath,
    } as unknown as Io;
    return [await run(['setup', '--key', '/ci/key', ...args], io), said];
  }
  function write(name: string, text: string): void {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  const command = (): string =>
    execFileSync('git', ['config', '--get', 'core.sshCommand'], { cwd: home, env, encoding: 'utf8' });

  const include = '[include]\n\tpath = ~/more\n';
  const cases: [string, string, string, Record<string, string>][] = [
    ['~/.gitconfig', '--global', '.gitconfig', { '.gitconfig': theirs }],
    ['a file that ~/.gitconfig includes', '--global', 'more', { '.gitconfig': include, more: theirs }],
    ['the XDG file alone', '--global', 'xdg/git/config', { 'xdg/git/config': theirs }],
    [
      'the XDG file beside ~/.gitconfig',
      ...(['--global', 'xdg/git/config'] as const),
      { 'xdg/git/config': theirs, '.gitconfig': '[user]\n\tname = me\n' },
    ],
    [
      'a file that the XDG file includes',
      ...(['--global', 'more'] as const),
      { 'xdg/git/config': include, more: theirs },
    ],
    [
      'a file that the file of the system includes',
      ...(['--system', 'more'] as const),
      { system: include, more: theirs },
    ],
  ];
  it.each(cases)('in %s: refuses, and names the file', async (...[, scope, named, files]) => {
    for (const [name, text] of Object.entries(files)) write(name, text);
    const [code, said] = await setup(scope);
    expect(said).toMatch(
      new RegExp(
        `^ssm-ssh-agent: INPUT_INVALID: core.sshCommand of ${join(home, named)} was not written by setup: ssh -i /mine\nhint: write --force to override it`,
      ),
    );
    expect([code, command()]).toEqual([2, 'ssh -i /mine\n']);
    for (const [name, text] of Object.entries(files))
      expect(readFileSync(join(home, name), 'utf8')).toBe(text);
    expect(existsSync(join(home, '.gitconfig'))).toBe('.gitconfig' in files);
    expect((await setup(scope, '--force'))[0]).toBe(0);
    expect(command()).toBe('/opt/x/helper/ssm-ssh\n');
  });

  it('of another scope, which has no part in it: writes', async () => {
    write('system', theirs);
    expect((await setup('--global'))[0]).toBe(0);
    expect(command()).toBe('/opt/x/helper/ssm-ssh\n');
    write('.gitconfig', theirs);
    write('system', '');
    expect((await setup('--system'))[0]).toBe(0);
    expect(command()).toBe('ssh -i /mine\n');
  });
});
