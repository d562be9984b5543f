/** The folder of a user's agent on a host, where nobody else may write, or even look. */
import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import { isProtected } from '../ssh/own-path.ts';

export interface User {
  readonly id: number;
  /** Absent: none that is known. */
  readonly home: string | undefined;
  readonly temporary: string;
}

/** By the same variables as helper/ssm-ssh-ask.sh. */
export function userOf(env: Readonly<Record<string, string | undefined>>): User {
  const isPath = (path: string | undefined): path is string => path?.startsWith('/') === true;
  const { HOME: home, TMPDIR: temporary } = env;
  return {
    id: userInfo().uid,
    home: isPath(home) ? home : undefined,
    temporary: isPath(temporary) ? temporary.replace(/(?<=.)\/$/, '') : '/tmp',
  };
}

/** The candidates, in the order in which the first one counts that is the user's alone. */
export function stateFolders({ id, home, temporary }: User): string[] {
  const parents = [`/run/user/${id}`, ...(home === undefined ? [] : [join(home, '.cache')]), temporary];
  return parents.map((parent) => join(parent, `ssm-ssh-agent-${id}`));
}

/**
 * The one that has an agent of this user, or the first that is, or can be made, the user's alone.
 *
 * @throws STATE_UNSAFE with the reason for each
 */
export async function findStateFolder(user: User): Promise<string> {
  const folders = stateFolders(user);
  const reasons: string[] = [];
  // Who changes the mode of one that has an agent is this user.
  for (const folder of folders)
    if ((await hasAgent(folder, user)) && (await otherMachine(folder)) === undefined)
      return await noted(folder);
  for (const folder of folders) {
    const reason = (await otherMachine(folder)) ?? (await close(folder, user));
    if (reason === undefined) return await noted(folder);
    reasons.push(`; ${folder}: ${reason}`);
  }
  const { home = 'HOME', temporary } = user;
  throw new Failure(
    'STATE_UNSAFE',
    `no folder is ours alone, of /run/user, ${home}/.cache and ${temporary}`,
    {
      hint: `see who owns ${folders.at(-1) ?? ''} and the folders above it (root or you, and nobody else may write there), or set HOME to a folder that you own${reasons.join('')}`,
    },
  );
}

/** Machines that share a home folder would take away one another's sockets. helper/ssm-ssh-host.sh reads the same file. */
const machine = 'machine';

/** One that has not been there for a day comes no more. */
async function otherMachine(folder: string): Promise<string | undefined> {
  const path = join(folder, machine);
  const [name = '', there] = await Promise.all([
    readFile(path, 'utf8').catch(() => undefined),
    stat(path).catch(() => undefined),
  ]);
  const isOurs = name === '' || name.trim() === hostname();
  if (isOurs || !there || Date.now() - there.mtimeMs > day) return undefined;
  return 'another machine that has the same home folder keeps its own there';
}

const day = 86_400_000;

async function noted(folder: string): Promise<string> {
  await writeFile(join(folder, machine), `${hostname()}\n`, { mode: 0o600 }).catch(() => undefined);
  return folder;
}

async function hasAgent(folder: string, { id }: User): Promise<boolean> {
  const owns = async (path: string): Promise<boolean> => {
    const there = await lstat(path).catch(() => undefined);
    return there?.uid === id && !there.isSymbolicLink();
  };
  const has =
    (await owns(join(folder, 'agent'))) ||
    ((await owns(join(folder, 'ec2'))) && (await owns(join(folder, 'ec2/agent'))));
  return has && (await owns(folder)) && unfit(folder) === undefined && (await isWritable(folder));
}

/** A socket's address has room for 103 bytes on some systems: for /ec2/agent, too. */
const longestName = 93;

function unfit(folder: string): string | undefined {
  if (/["$`\\\n]/.test(folder)) return "its name has a character that ssh's options cannot have";
  if (Buffer.byteLength(folder) > longestName) return 'its name is too long for the path of a socket';
  // What Node has read for bytes that are no UTF-8.
  return folder.includes('\uFFFD') ? 'its name is not UTF-8' : undefined;
}

const [groupOrOthersWrite, sticky, anybodyElse] = [0o022, 0o1000, 0o077];

/**
 * Makes the folder, or sees to it that nobody else can enter it, or replace it or a folder above it (the owner of a folder
 * can, whatever its mode is).
 *
 * @returns why that cannot be
 */
async function close(folder: string, { id, home, temporary }: User): Promise<string | undefined> {
  const reason = unfit(folder);
  if (reason !== undefined) return reason;
  const parent = dirname(folder);
  const isInHome = home !== undefined && parent === join(home, '.cache');
  const isOurs = async (path: string, look: typeof stat): Promise<boolean> => {
    const there = await look(path).catch(() => undefined);
    return there?.uid === id && there.isDirectory();
  };
  // The home folder may be a link, /run/user/ID is none.
  const isOwners =
    parent === temporary || (isInHome ? await isOurs(home, stat) : await isOurs(parent, lstat));
  if (!isOwners) return 'others have a way into it, or it cannot be made';
  if (isInHome) await mkdir(parent, { mode: 0o700 }).catch(() => undefined);
  const above = await stat(parent).catch(() => undefined);
  if (!above?.isDirectory()) return 'there is no folder above it';
  const othersWrite = (above.mode & groupOrOthersWrite) !== 0 && (above.mode & sticky) === 0;
  if (othersWrite || !isProtected(parent)) return 'others own or may write to a folder above it';
  return await closeItself(folder, id);
}

async function closeItself(folder: string, id: number): Promise<string | undefined> {
  const problem = await mkdir(folder, { mode: 0o700 }).then(() => undefined, codeOf);
  const there = await lstat(folder).catch(() => undefined);
  if (there?.isSymbolicLink()) return 'it is a symbolic link';
  if (!there?.isDirectory()) return reasons[problem ?? ''] ?? 'it cannot be made';
  if (there.uid !== id) return 'somebody else owns it';
  if ((there.mode & groupOrOthersWrite) !== 0) return 'others may write to it';
  if ((there.mode & anybodyElse) !== 0) await chmod(folder, 0o700).catch(() => undefined);
  if (!(await isWritable(folder))) return reasons['EROFS'];
  const isFull = await fill(folder).then(() => undefined, codeOf);
  // What was made for that alone goes again.
  if (isFull !== undefined && problem === undefined) await rmdir(folder).catch(() => undefined);
  return isFull === undefined ? undefined : (reasons[isFull] ?? `a file cannot be made there (${isFull})`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  EROFS: 'it is on a disk that is read-only',
};

/** As much as is kept for a key, and more. */
async function fill(folder: string): Promise<void> {
  const path = join(folder, `.room-${process.pid}`);
  try {
    await writeFile(path, Buffer.alloc(4096, ' '), { flag: 'wx', mode: 0o600 });
  } finally {
    await rm(path, { force: true });
  }
}

/** What kept a file from being made in the folder of the agent. */
export function unwritable(folder: string, cause: unknown): unknown {
  const reason = reasons[codeOf(cause as NodeJS.ErrnoException)];
  if (reason === undefined) return cause;
  return new Failure('STATE_UNSAFE', `nothing can be kept in ${folder}: ${reason}`, {
    hint: 'make room there (df -h, df -i), or set HOME to a folder on another disk',
    cause,
  });
}

async function isWritable(folder: string): Promise<boolean> {
  return await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}

function codeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}
