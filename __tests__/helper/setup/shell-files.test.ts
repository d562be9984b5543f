/** Which links setup makes for shells and man(1), with real folders. */
import {
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  existsSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { linkShellFiles, shareFiles, unlinkShellFiles } from '../../../helper/setup/shell-files.ts';

const [bash, fish, man] = shareFiles;
let folder = '';
const data = (name: string, file: string): string => join(folder, name, file);
const env = (): Record<string, string> => ({
  XDG_DATA_DIRS: `${join(folder, 'local')}:${join(folder, 'usr')}`,
  GIT_CONFIG_SYSTEM: join(folder, 'gitconfig'),
});
const make = (name: string, file: string): void => {
  mkdirSync(dirname(data(name, file)), { recursive: true });
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shell-files-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the links for shells and man', () => {
  it('are made where the shell has its folder, in the first data folder that has it', async () => {
    make('usr', bash);
    make('usr', man);
    make('local', man);
    const made = await linkShellFiles('/opt/app', env());
    expect(made).toEqual([data('usr', bash), data('local', man)]);
    expect(made.map((path) => readlinkSync(path))).toEqual([
      `/opt/app/share/${bash}`,
      `/opt/app/share/${man}`,
    ]);
    expect(await linkShellFiles('/opt/app', env())).toEqual([]);
  });

  it('lead to the installation that ran setup last', async () => {
    make('usr', fish);
    await linkShellFiles('/opt/old/ssm-ssh-agent', env());
    expect(await linkShellFiles('/opt/new', env())).toEqual([data('usr', fish)]);
    expect(readlinkSync(data('usr', fish))).toBe(`/opt/new/share/${fish}`);
  });

  it('replace no file and no link of somebody else, and leave these when they are removed', async () => {
    make('usr', bash);
    make('usr', man);
    writeFileSync(data('usr', bash), 'theirs');
    // As a package manager links the page of its own copy.
    const theirs = join(folder, 'Cellar/ssm-ssh-agent/share', man);
    mkdirSync(dirname(theirs), { recursive: true });
    writeFileSync(theirs, '');
    symlinkSync(theirs, data('usr', man));
    expect(await linkShellFiles('/opt/app', env())).toEqual([]);
    expect(await unlinkShellFiles('/opt/app', env(), false)).toEqual([]);
    expect(existsSync(data('usr', bash))).toBe(true);
    expect(readlinkSync(data('usr', man))).toBe(theirs);
  });

  it('are removed wherever they are, also those of an installation that is gone', async () => {
    make('usr', bash);
    make('usr', man);
    const made = await linkShellFiles('/opt/gone/ssm-ssh-agent', env());
    make('local', bash);
    expect(await unlinkShellFiles('/opt/app', env(), true)).toEqual(made);
    expect(await unlinkShellFiles('/opt/app', env(), false)).toEqual(made);
    expect(await unlinkShellFiles('/opt/app', env(), false)).toEqual([]);
  });

  it('are not made on the host where only its configuration of git was replaced', async () => {
    const { GIT_CONFIG_SYSTEM } = env();
    expect(await linkShellFiles('/opt/app', { GIT_CONFIG_SYSTEM })).toEqual([]);
    expect(await unlinkShellFiles('/opt/app', { GIT_CONFIG_SYSTEM }, false)).toEqual([]);
  });
});
