/** Marked blocks in the user's own ~/.ssh/config and ~/.ssh/known_hosts: put in front, and taken out to the last byte. */
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

/** What a block holds, line by line. */
export interface Blocks {
  readonly config: readonly string[];
  readonly knownHosts: readonly string[];
}

const files = { config: 'config', knownHosts: 'known_hosts' } as const;

/** As OpenSSH finds it: by the account, whatever HOME says (ssh.c, getpwuid). */
function sshFolder(): string {
  try {
    return join(userInfo().homedir, '.ssh');
  } catch (cause) {
    throw unusable('the account has no home folder', cause);
  }
}

/**
 * @param name of the blocks, to take them out by
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
    });
  }
}

async function makeFolder(folder: string): Promise<string | undefined> {
  return await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unusable(`${folder} cannot be made`, cause);
  });
}

/** A folder that was made for blocks may go at any moment with the last of another job's. */
async function whileThere(work: () => Promise<void>, tries = 10): Promise<void> {
  await work().catch(async (error: unknown) => {
    const { code } = ((error as Failure).cause ?? {}) as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || tries === 1) throw error;
    await whileThere(work, tries - 1);
  });
}

/** Taking out what is not there succeeds, and makes nothing. */
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
  // Fails where something else has come into it.
  if (marks.has(newFolder)) await rmdir(folder).catch(() => undefined);
}

/** The names of all blocks that are there. */
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

/** The user's part may be in any encoding: files are read and written byte by byte, as Latin-1. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function characters(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/** What the first block knows for the last one that is taken out: whoever made file or folder removes it again. */
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
  // Another job's block is still there: from now on it is the one that knows.
  const begins = /^(# ssm-ssh-agent begins: .*?)((?: \(in a new (?:file|folder)\))*)$/m;
  if (marks.size === 0 || !begins.test(left)) return { left, marks };
  const handOn = (_: string, begin: string, own: string): string =>
    begin + [newFile, newFolder].filter((mark) => marks.has(mark) || own.includes(mark)).join('');
  return { left: left.replace(begins, handOn), marks: new Set() };
}

/**
 * Under a lock that is the new file itself, as git's are. A link stays a link, and the mode stays the mode.
 *
 * @param change undefined for a file that is not there, or is to be none
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

/** Answers whether it held the lock to the end: it may have slept so long that another took it for a dead one's. */
async function replaceOnce(path: string, change: Change): Promise<boolean> {
  const lock = lockOf(path);
  const handle = await openLock(lock);
  try {
    const there = await stat(path).catch(() => undefined);
    // A device in its place (known_hosts as a link to /dev/null) would become a file for the whole machine.
    if (there && !there.isFile()) throw new Error('it is no regular file');
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
    // After a rename it is nobody's, or the next one's.
    if (await isAt(lock, handle)) await rm(lock, { force: true });
    await handle.close();
  }
}

/** Where a link leads, whether or not there is a file yet. */
async function target(file: string): Promise<string> {
  const leads = async (): Promise<string> => resolve(await realpath(dirname(file)), await readlink(file));
  return await realpath(file).catch(() => leads().catch(() => file));
}

function lockOf(path: string): string {
  return `${path}.ssm-ssh-agent-lock`;
}

/** Milliseconds after which a lock that stays the same is nobody's: what it guards takes less than one. */
const staleLock = 2_000;

/** By this process's own clock: that of the disk may be another machine's. */
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
    hint: 'let the user of the runner write to ~/.ssh, or leave ssh-config out',
    cause,
  });
}
