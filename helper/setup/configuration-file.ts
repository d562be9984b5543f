/**
 * A file of git's configuration, changed as git changes it (config.c, lockfile.c): under `FILE.lock`, which becomes the file
 * in one step; the file that a symlink leads to, with the mode that it has.
 */
import { readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { Failure, isFull } from '../../src/errors.ts';
import type { Scope } from '../../src/git/listing.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { lockFile } from './configuration-lock.ts';

/** A byte is a character, so that what others wrote stays as it is, in whatever encoding. */
const encoding = 'latin1';

/**
 * A new file of the system is for all users, whatever the umask is.
 *
 * @param edit undefined: there is no file, or there is to be none
 * @throws INPUT_INVALID
 */
export async function changeFile(
  path: string,
  edit: (text: string | undefined) => string | undefined,
  scope: Scope,
): Promise<void> {
  try {
    await changeTarget(await followed(path), edit, scope === 'system' ? 0o644 : undefined);
  } catch (error) {
    throw refused(path, error, { scope, what: 'written' });
  }
}

async function changeTarget(
  target: string,
  edit: (text: string | undefined) => string | undefined,
  modeOfNew: number | undefined,
): Promise<void> {
  const { handle, path, release } = await lockFile(target);
  try {
    const before = await textOf(target);
    const after = edit(before);
    const there = before === undefined ? undefined : await stat(target);
    const mode = there?.mode ?? modeOfNew;
    // Where sudo keeps HOME, root changes a file that is the user's. Only root can give it back.
    if (there && process.getuid?.() === 0) await handle.chown(there.uid, there.gid);
    if (mode !== undefined) await handle.chmod(mode & 0o7777);
    await handle.writeFile(after ?? '', encoding);
    await handle.close();
    if (after === undefined && before !== undefined) await rm(target);
    else if (after !== before) await rename(path, target);
  } finally {
    await release();
  }
}

/**
 * @returns undefined where there is no file
 * @throws INPUT_INVALID
 */
export async function readText(path: string, scope: Scope): Promise<string | undefined> {
  try {
    return await textOf(await followed(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refused(path, error, { scope, what: 'read' });
  }
}

/** UTF-8 as the files have it here. */
export function asBytes(text: string): string {
  return Buffer.from(text).toString(encoding);
}

export function fromBytes(text: string): string {
  return Buffer.from(text, encoding).toString();
}

async function textOf(path: string): Promise<string | undefined> {
  const there = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (there === undefined) return undefined;
  // A pipe would wait for its other end, and a rename would replace a device.
  if (!there.isFile())
    throw new Failure('INPUT_INVALID', `${path} is no file: setup cannot write configuration there`, {
      hint: `see what is there: ls -ld ${quoteForShell(path)}`,
    });
  return await readFile(path, encoding);
}

/**
 * Also where the last link leads to nothing: git makes the file there. The kernel follows the links of a path before it
 * goes up by `..` (path_resolution(7)).
 */
async function followed(path: string): Promise<string> {
  let place = path;
  for (let links = 0; links < 40; links++) {
    const name = basename(place);
    const folder = await realpath(dirname(place));
    place = name === '..' || name === '.' ? await realpath(place) : join(folder, name);
    const link = await readlink(place).catch(() => undefined);
    if (link === undefined) return place;
    // Not by join(), which removes `..` before the links are followed.
    place = isAbsolute(link) ? link : `${folder}/${link}`;
  }
  throw Object.assign(new Error(`too many links: ${path}`), { code: 'ELOOP' });
}

function refused(
  path: string,
  cause: unknown,
  { scope, what }: { readonly scope: Scope; readonly what: 'read' | 'written' },
): unknown {
  if (cause instanceof Failure || isFull(cause)) return cause;
  const { code, path: at = path } = cause as NodeJS.ErrnoException;
  if (code === 'EEXIST') {
    const lock = quoteForShell(at);
    return new Failure('INPUT_INVALID', `${at} is there: another program is writing ${path}`, {
      hint: `run it again; if no git and no setup is running, remove it first: rm ${lock}`,
      cause,
    });
  }
  const isDenied = code === 'EACCES' || code === 'EPERM';
  const look = `ls -ld ${quoteForShell(dirname(path))} ${quoteForShell(path)}`;
  return new Failure('INPUT_INVALID', `${path} cannot be ${what}: ${code ?? String(cause)}`, {
    hint:
      isDenied && scope === 'system'
        ? 'run it as root (sudo), or pass --global for this user alone'
        : `${isDenied ? 'see who may write there' : 'see what is there'}: ${look}`,
    cause,
  });
}
