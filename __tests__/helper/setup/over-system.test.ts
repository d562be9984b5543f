/** What setup writes for a user over the settings of the system. git reads and writes real files. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Io } from '../../../helper/command-line/command.ts';
import { run } from '../../../helper/command-line/program.ts';

describe('setup --global over a key of the system', () => {
  let home: string;
  let env: Record<string, string>;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'over-system-'));
    env = {
      ...{ PATH: process.env['PATH'] ?? '', HOME: home, LC_ALL: 'C' },
      ...{ GIT_CONFIG_SYSTEM: join(home, 'system'), GIT_CONFIG_GLOBAL: join(home, 'global') },
    };
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  const setup = async (...args: string[]): Promise<void> => {
    let said = '';
    const io = {
      ...{ env, out: () => undefined, err: (text: string) => (said += text) },
      ...{ signals: { on: () => undefined, off: () => undefined }, installation: '/opt/x' },
      node: process.execPath,
    } as unknown as Io;
    const code = await run(['setup', '--global', ...args], io);
    if (code !== 0) throw new Error(said);
  };
  const system = (...lines: string[]): void => {
    writeFileSync(join(home, 'system'), `${lines.join('\n')}\n`);
  };
  /** What counts. */
  const value = (name: string): string =>
    execFileSync('git', ['config', '--get', name], { cwd: home, env, encoding: 'utf8' }).trim();

  it('leaves nothing of the old key on the new one', async () => {
    const names = ['passphrase', 'certificate', 'ca', 'principals'];
    system('[ssm]', 'key = /ci/a', ...names.map((name) => `${name} = /ci/${name}`));
    await setup('--key', '/ci/b');
    expect(value('ssm.key')).toBe('/ci/b');
    expect(names.map((name) => value(`ssm.${name}`))).toEqual(['', '', '', '']);
    const before = readFileSync(join(home, 'global'), 'utf8');
    await setup('--key', '/ci/b');
    expect(readFileSync(join(home, 'global'), 'utf8')).toBe(before);
    expect(before).not.toMatch(/validFor|sourceAddress/i);
    await setup('--remove');
    expect(names.map((name) => value(`ssm.${name}`))).toEqual(names.map((name) => `/ci/${name}`));
  });

  it('leaves no user name of the old credential on the new one', async () => {
    system('[ssm "github.com/acme"]', 'credential = /ci/tok', 'username = bot');
    await setup('--credential', '/me/tok github.com/acme');
    expect(value('ssm.github.com/acme.username')).toBe('');
  });

  it('replaces an option that setup wrote for the user before', async () => {
    system('[ssm]', 'key = /ci/a', 'passphrase = /ci/a-pass');
    await setup('--key', '/ci/b passphrase=/ci/b-pass');
    expect(value('ssm.passphrase')).toBe('/ci/b-pass');
    await setup('--key', '/ci/c');
    expect(value('ssm.passphrase')).toBe('');
  });
});
