/** The lock of a configuration file, also after a setup that was killed. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lockFile } from '../../../helper/setup/configuration-lock.ts';

describe('the lock of a configuration file', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
    file = join(folder, 'config');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** As a setup of that process leaves them. */
  const leave = (pid: number | string, name = `.ssm-ssh-agent-${hostname()}-`): void => {
    writeFileSync(`${file}${name}${pid}`, '');
    linkSync(`${file}${name}${pid}`, `${file}.lock`);
  };
  const deadPid = (): number => spawnSync('true').pid;

  it('is there until it is released, and leaves nothing', async () => {
    const lock = await lockFile(file);
    expect(existsSync(`${file}.lock`)).toBe(true);
    await lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not a program, as the file that it becomes is none', async () => {
    const { path, release } = await lockFile(file);
    expect(statSync(path).mode & 0o111).toBe(0);
    await release();
  });

  it('becomes the file, and then is only released', async () => {
    const { handle, path, release } = await lockFile(file);
    await handle.writeFile('text');
    renameSync(path, file);
    writeFileSync(path, 'of git');
    await release();
    expect(readdirSync(folder).sort()).toEqual(['config', 'config.lock']);
  });

  it('of a setup that was killed is removed', async () => {
    leave(deadPid());
    const lock = await lockFile(file);
    await lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of a setup that was killed while it removed another one is removed', async () => {
    leave(`${deadPid()}.dead`);
    await (await lockFile(file)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    [
      'git',
      () => {
        writeFileSync(`${file}.lock`, '');
      },
    ],
    [
      'a setup that runs',
      () => {
        leave(process.ppid);
      },
    ],
    [
      'a setup of another machine',
      () => {
        leave(deadPid(), '.ssm-ssh-agent-elsewhere-');
      },
    ],
  ])('of %s is respected', async (_, arrange) => {
    arrange();
    const before = readdirSync(folder);
    await expect(lockFile(file)).rejects.toMatchObject({ code: 'EEXIST', path: `${file}.lock` });
    expect(readdirSync(folder)).toEqual(before);
  });
});
