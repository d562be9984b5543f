/**
 * A file of git's configuration, changed as git changes it (config.c, lockfile.c): under `FILE.lock`, which becomes the file
 * in one step; the file that a symlink leads to, with the mode that it has.
 */
import { open, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Failure } from '../../src/errors.ts';

export interface FileOptions {
  /** Whether a new file is for all users, whatever the umask is. */
  readonly forAll: boolean;
}

/** A byte is a character, so that what others wrote stays as it is, in whatever encoding. */
const encoding = 'latin1';

/**
 * @param edit undefined: there is no file, or there is to be none
 * @throws INPUT_INVALID
 */
export async function changeFile(
  path: string,
  edit: (text: string | undefined) => string | undefined,
  { forAll }: FileOptions,
): Promise<void> {
  const target = await followed(path);
  const lock = `${target}.lock`;
  try {
    const handle = await open(lock, 'wx', 0o666);
    try {
      const before = await textOf(target);
      const after = edit(before);
      const mode = before === undefined ? (forAll ? 0o644 : undefined) : (await stat(target)).mode;
      if (mode !== undefined) await handle.chmod(mode & 0o7777);
      await handle.writeFile(after ?? '', encoding);
      await handle.close();
      if (after === before) await rm(lock);
      else if (after === undefined) await Promise.all([rm(target), rm(lock)]);
      else await rename(lock, target);
    } catch (error) {
      await handle.close().catch(() => undefined);
      await rm(lock, { force: true });
      throw error;
    }
  } catch (error) {
    throw refused(target, error);
  }
}

/** @returns undefined where there is no file */
export async function readText(path: string): Promise<string | undefined> {
  const target = await followed(path);
  return await textOf(target).catch((error: unknown) => {
    throw refused(target, error);
  });
}

/** UTF-8 as the files have it here. */
export function asBytes(text: string): string {
  return Buffer.from(text).toString(encoding);
}

export function fromBytes(text: string): string {
  return Buffer.from(text, encoding).toString();
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, encoding);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Also where the last link leads to nothing: git makes the file there. */
async function followed(path: string): Promise<string> {
  let place = path;
  for (let links = 0; links < 40; links++) {
    const link = await readlink(place).catch(() => undefined);
    if (link === undefined) break;
    place = resolve(dirname(place), link);
  }
  return place;
}

function refused(path: string, cause: unknown): Failure {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'EEXIST') {
    return new Failure('INPUT_INVALID', `${path}.lock is there: another program is writing ${path}`, {
      hint: `run it again; if no git and no setup is running, remove ${path}.lock first`,
      cause,
    });
  }
  const isDenied = code === 'EACCES' || code === 'EPERM';
  return new Failure('INPUT_INVALID', `${path} cannot be written: ${code ?? String(cause)}`, {
    hint: isDenied
      ? 'run it as root (sudo), or pass --global for this user alone'
      : `see what is there: ls -ld ${dirname(path)} ${path}`,
    cause,
  });
}
