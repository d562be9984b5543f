/** Marked blocks at the start of ~/.ssh/config and ~/.ssh/known_hosts. Removing them restores the files byte by byte. */
import { existsSync } from 'node:fs';
import {
  mkdir,
  open,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  type FileHandle,
} from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../errors.ts';

/** The lines of a block. */
export interface Blocks {
  readonly config: readonly string[];
  readonly knownHosts: readonly string[];
}

const files = { config: 'config', knownHosts: 'known_hosts' } as const;

/** OpenSSH takes the home folder from the account and ignores HOME (ssh.c, getpwuid). */
function sshFolder(): string {
  try {
    return join(userInfo().homedir, '.ssh');
  } catch (cause) {
    throw unusable('the account has no home folder', cause);
  }
}

/**
 * @param name of the blocks, for their removal
 * @throws STATE_UNSAFE
 */
export async function addBlocks(name: string, blocks: Blocks): Promise<void> {
  const folder = sshFolder();
  let made: string | undefined;
  for (const [key, file] of Object.entries(files)) {
    const lines = blocks[key as keyof Blocks];
    await whileThere(async () => {
      made ??= await makeFolder(folder);
      await replace(join(folder, file), (text) => {
        const marks = [...(text === undefined ? [newFile] : []), ...(made === undefined ? [] : [newFolder])];
        return bytes(render(name, lines, marks)) + (text ?? '');
      });
    }).catch(async (error: unknown) => {
      // No block says that the folder is new. rmdir fails if there is anything in it.
      if (made !== undefined) await rmdir(folder).catch(() => undefined);
      throw error;
    });
  }
}

async function makeFolder(folder: string): Promise<string | undefined> {
  return await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unusable(`${folder} cannot be created`, cause);
  });
}

/** A new folder may disappear at any moment, with the last block of another job. */
async function whileThere(work: () => Promise<void>, tries = 10): Promise<void> {
  await work().catch(async (error: unknown) => {
    const { code } = ((error as Failure).cause ?? {}) as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || tries === 1) throw error;
    await whileThere(work, tries - 1);
  });
}

/** Succeeds without changes if there is no block. */
export async function removeBlocks(isOurs: (name: string) => boolean): Promise<void> {
  const folder = sshFolder();
  const marks = new Set<string>();
  const change = (text: string | undefined): string | undefined => {
    if (text === undefined) return undefined;
    const taken = takeOut(text, isOurs);
    for (const mark of taken.marks) marks.add(mark);
    return taken.left === '' && taken.marks.has(newFile) ? undefined : taken.left;
  };
  for (const path of Object.values(files).map((file) => join(folder, file))) {
    await whileThere(async () => {
      const left = (await namesIn(path)).some(isOurs) || existsSync(lockOf(await target(path)));
      if (left) await replace(path, change);
    });
  }
  // rmdir fails if other files are in the folder.
  if (marks.has(newFolder)) await rmdir(folder).catch(() => undefined);
}

/** The names of all existing blocks. */
export async function blockNames(): Promise<string[]> {
  const folder = sshFolder();
  const names = await Promise.all(Object.values(files).map((file) => namesIn(join(folder, file))));
  return [...new Set(names.flat())];
}

async function namesIn(path: string): Promise<string[]> {
  const isFile = await stat(path).then(
    (there) => there.isFile(),
    () => false,
  );
  const text = isFile ? await readFile(path, 'latin1').catch(() => '') : '';
  return [...text.matchAll(blockPattern)].map(([, name = '']) => characters(name));
}

/** The user's part may have any encoding, so files are read and written as Latin-1, which keeps every byte. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function characters(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/** The first block notes that the file or folder is new. The job that removes the last block then removes them. */
const newFile = ' (in a new file)';
const newFolder = ' (in a new folder)';

const blockPattern =
  /^# ssm-ssh-agent begins: (.*?)( \(in a new file\))?( \(in a new folder\))?\n[^]*?^# ssm-ssh-agent ends: \1\n/gm;

function render(name: string, lines: readonly string[], marks: readonly string[]): string {
  return [
    `# ssm-ssh-agent begins: ${name}${marks.join('')}`,
    ...lines,
    `# ssm-ssh-agent ends: ${name}`,
    '',
  ].join('\n');
}

function takeOut(text: string, isOurs: (name: string) => boolean): { left: string; marks: Set<string> } {
  const marks = new Set<string>();
  const left = text.replace(blockPattern, (block: string, name: string, ...found: string[]) => {
    if (!isOurs(characters(name))) return block;
    for (const mark of [newFile, newFolder]) if (found.slice(0, 2).includes(mark)) marks.add(mark);
    return '';
  });
  // If another job's block remains, it gets the note.
  const begins = /^(# ssm-ssh-agent begins: .*?)((?: \(in a new (?:file|folder)\))*)$/m;
  if (marks.size === 0 || !begins.test(left)) return { left, marks };
  const handOn = (_: string, begin: string, own: string): string =>
    begin + [newFile, newFolder].filter((mark) => marks.has(mark) || own.includes(mark)).join('');
  return { left: left.replace(begins, handOn), marks: new Set() };
}

/**
 * Writes the new file as a lock first, as git does, then renames it. A symbolic link stays a link, and the mode is
 * kept.
 *
 * @param change undefined for a missing file, and for its removal
 */
async function replace(file: string, change: Change): Promise<void> {
  const path = await target(file);
  try {
    while (!(await replaceOnce(path, change)));
  } catch (cause) {
    throw unusable(`${path} in ${dirname(path)} cannot be written`, cause);
  }
}

type Change = (text: string | undefined) => string | undefined;

/** Returns whether the lock was held to the end: after a long pause, another process may have taken it as stale. */
async function replaceOnce(path: string, change: Change): Promise<boolean> {
  const lock = lockOf(path);
  const handle = await openLock(lock);
  try {
    const there = await stat(path).catch(() => undefined);
    // A device (known_hosts as a link to /dev/null) must not be replaced by a file.
    if (there && !there.isFile()) throw new Error('it is not a regular file');
    const text = change(there && (await readFile(path, 'latin1')));
    await handle.writeFile(text ?? '', 'latin1');
    if (there) {
      await handle.chmod(there.mode & 0o7777);
      if (there.uid !== process.getuid?.()) await handle.chown(there.uid, there.gid);
    }
    if (!(await isAt(lock, handle))) return false;
    if (text === undefined) await rm(path, { force: true });
    else await rename(lock, path);
    return true;
  } finally {
    // After the rename, the lock may belong to another process.
    if (await isAt(lock, handle)) await rm(lock, { force: true });
    await handle.close();
  }
}

/** The target of a link, even if the file does not exist yet. */
async function target(file: string): Promise<string> {
  const leads = async (): Promise<string> => resolve(await realpath(dirname(file)), await readlink(file));
  return await realpath(file).catch(() => leads().catch(() => file));
}

function lockOf(path: string): string {
  return `${path}.ssm-ssh-agent-lock`;
}

/** Milliseconds after which an unchanged lock is stale: the work under it takes less than one. */
const staleLock = 2_000;

/** Uses this process's clock, because the disk's clock may be another machine's. */
async function openLock(lock: string): Promise<FileHandle> {
  let seen: string | undefined;
  let since = 0;
  for (;;) {
    try {
      return await open(lock, 'wx', 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const now = performance.now();
    const found = await stat(lock).then(
      ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
      () => undefined,
    );
    if (found !== seen) [seen, since] = [found, now];
    else if (found !== undefined && now - since > staleLock) await rm(lock, { force: true });
    await sleep(10);
  }
}

async function isAt(lock: string, handle: FileHandle): Promise<boolean> {
  const [there, ours] = await Promise.all([stat(lock).catch(() => undefined), handle.stat()]);
  return there?.ino === ours.ino;
}

function unusable(problem: string, cause: unknown): Failure {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new Failure('STATE_UNSAFE', `ssh-config: ${problem}${why}`, {
    hint: 'let the user of the runner write to ~/.ssh, or remove ssh-config',
    cause,
  });
}
