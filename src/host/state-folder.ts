/** The folder of a user's agent on a host. Only the user may read and write it. */
import { constants, type Stats } from 'node:fs';
import { access, chmod, lstat, mkdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import { userId } from '../process/account.ts';
import { isProtected } from '../ssh/own-path.ts';

export interface User {
  readonly id: number;
  /** Absent if unknown. */
  readonly home: string | undefined;
  readonly temporary: string;
}

/** Uses the same variables as helper/ssm-ssh-ask.sh. */
export function userOf(env: Readonly<Record<string, string | undefined>>): User {
  const isPath = (path: string | undefined): path is string => path?.startsWith('/') === true;
  const { HOME: home, TMPDIR: temporary } = env;
  return {
    id: userId(),
    home: isPath(home) ? home : undefined,
    temporary: isPath(temporary) ? temporary.replace(/(?<=.)\/$/, '') : '/tmp',
  };
}

/** The candidates, in order of preference. */
export function stateFolders({ id, home, temporary }: User): string[] {
  const parents = [`/run/user/${id}`, ...(home === undefined ? [] : [join(home, '.cache')]), temporary];
  return parents.map((parent) => join(parent, `ssm-ssh-agent-${id}`));
}

/**
 * Finds a folder that already has an agent of this user. Otherwise takes the first candidate that only the user can
 * access, and creates it if needed.
 *
 * @throws STATE_UNSAFE with the reason for each candidate
 */
export async function findStateFolder(user: User): Promise<string> {
  const folders = stateFolders(user);
  const reasons: string[] = [];
  // The mode of a folder with an agent is not checked: only this user can have changed it.
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
    `no folder in /run/user, ${home}/.cache or ${temporary} belongs only to this user`,
    { hint: `${remedyFor(folders, reasons)}${reasons.join('')}` },
  );
}

/**
 * Takes this folder and no other one, because ssh's configuration names it. Creates it if needed.
 *
 * @throws STATE_UNSAFE
 */
export async function takeStateFolder(folder: string, user: User): Promise<string> {
  const parent = dirname(folder);
  // The home folder of the account, where HOME is another one.
  const home = basename(parent) === '.cache' ? dirname(parent) : user.home;
  const reason = (await otherMachine(folder)) ?? (await close(folder, { ...user, home }));
  if (reason === undefined) return await noted(folder);
  const remedy =
    reason === shared
      ? remedyFor([folder], [reason])
      : 'write a folder that only you may write to in each of --state, IdentityAgent and UserKnownHostsFile of that block';
  throw new Failure('STATE_UNSAFE', `${folder}, which ssh's configuration names, is not usable: ${reason}`, {
    hint: remedy,
  });
}

/** What to do if no candidate is usable. */
export function remedyFor(folders: readonly string[], reasons: readonly string[]): string {
  return reasons.some((reason) => reason.endsWith(shared))
    ? 'if the other machine is this one with its name of before, or is gone, run ssm-ssh-agent flush; or set TMPDIR to a folder of this machine that you own'
    : `check the owner of ${folders.at(-1) ?? ''} and of its parent folders (it has to be root or you, and nobody else may write there), or set HOME to a folder that you own`;
}

/**
 * Names the machine that uses the folder: machines that share a home folder would remove each other's sockets.
 * helper/ssm-ssh-host.sh reads the same file.
 */
const machine = 'machine';

/** A machine that has not used the folder for a day is ignored. */
async function otherMachine(folder: string): Promise<string | undefined> {
  const path = join(folder, machine);
  const [name = '', there] = await Promise.all([
    readFile(path, 'utf8').catch(() => undefined),
    stat(path).catch(() => undefined),
  ]);
  const isOurs = name === '' || name.trim() === hostname();
  if (isOurs || !there || Date.now() - there.mtimeMs > day) return undefined;
  return shared;
}

const shared = 'another machine with the same home folder uses it';

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
    ((await owns(join(folder, 'ec2'))) && (await owns(join(folder, 'ec2/agent')))) ||
    (await owns(join(folder, 'kms')));
  return has && (await owns(folder)) && unfit(folder) === undefined && (await isWritable(folder));
}

/** Bytes. Some systems allow 103 bytes for a socket's path, and /ec2/agent is appended. */
const longestName = 93;

function unfit(folder: string): string | undefined {
  if (/["$`\\\n]/.test(folder)) return "its name has a character that is not allowed in ssh's options";
  if (Buffer.byteLength(folder) > longestName) return 'its name is too long for the path of a socket';
  // Node decodes invalid UTF-8 to this character.
  return folder.includes('\uFFFD') ? 'its name is not UTF-8' : undefined;
}

const [groupOrOthersWrite, sticky, anybodyElse] = [0o022, 0o1000, 0o077];

/**
 * Creates the folder, or checks that nobody else can enter it, or replace it or one of its parents. The owner of a
 * parent folder can replace it whatever its mode is.
 *
 * @returns the reason if the folder is not safe
 */
async function close(folder: string, user: User): Promise<string | undefined> {
  const reason = unfit(folder);
  if (reason !== undefined) return reason;
  if (!(await hasOwnersParent(folder, user))) return notOwners;
  const parent = dirname(folder);
  if (isInHome(folder, user)) await mkdir(parent, { mode: 0o700 }).catch(() => undefined);
  return (await unsafeParent(parent)) ?? (await closeItself(folder, user.id));
}

const notOwners = 'others can access it, or it cannot be created';

function isInHome(folder: string, { home }: User): boolean {
  return home !== undefined && dirname(folder) === join(home, '.cache');
}

async function hasOwnersParent(folder: string, user: User): Promise<boolean> {
  const { id, home = '', temporary } = user;
  const parent = dirname(folder);
  const isOurs = async (path: string, look: typeof stat): Promise<boolean> => {
    const there = await look(path).catch(() => undefined);
    return there?.uid === id && there.isDirectory();
  };
  // The home folder may be a symbolic link; /run/user/ID must not be one.
  return (
    parent === temporary || (isInHome(folder, user) ? await isOurs(home, stat) : await isOurs(parent, lstat))
  );
}

async function unsafeParent(parent: string): Promise<string | undefined> {
  const above = await stat(parent).catch(() => undefined);
  if (!above?.isDirectory()) return 'its parent folder does not exist';
  const othersWrite = (above.mode & groupOrOthersWrite) !== 0 && (above.mode & sticky) === 0;
  return othersWrite || !isProtected(parent)
    ? 'others own or may write to one of its parent folders'
    : undefined;
}

async function closeItself(folder: string, id: number): Promise<string | undefined> {
  const problem = await mkdir(folder, { mode: 0o700 }).then(() => undefined, codeOf);
  const there = await lstat(folder).catch(() => undefined);
  const reason = unsafeItself(there, id);
  if (reason !== undefined) return there ? reason : (reasons[problem ?? ''] ?? reason);
  if (!there) return undefined;
  if ((there.mode & anybodyElse) !== 0) await chmod(folder, 0o700).catch(() => undefined);
  if (!(await isWritable(folder))) return reasons['EROFS'];
  const isFull = await fill(folder).then(() => undefined, codeOf);
  // Remove the folder if this check created it.
  if (isFull !== undefined && problem === undefined) await rmdir(folder).catch(() => undefined);
  return isFull === undefined ? undefined : (reasons[isFull] ?? `a file cannot be created there (${isFull})`);
}

function unsafeItself(there: Stats | undefined, id: number): string | undefined {
  if (there?.isSymbolicLink()) return 'it is a symbolic link';
  if (!there?.isDirectory()) return 'it cannot be created';
  if (there.uid !== id) return 'somebody else owns it';
  return (there.mode & groupOrOthersWrite) === 0 ? undefined : 'others may write to it';
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk is full',
  EFBIG: 'this process may not write files of that size (ulimit -f)',
  EROFS: 'its disk is read-only',
};

/** Writes more than the files of one key need. */
async function fill(folder: string): Promise<void> {
  const path = join(folder, `.room-${process.pid}`);
  try {
    await writeFile(path, Buffer.alloc(4096, ' '), { flag: 'wx', mode: 0o600 });
  } finally {
    await rm(path, { force: true });
  }
}

/** A candidate, as it is now. */
export interface FolderReport {
  readonly folder: string;
  readonly isThere: boolean;
  /** Whether an agent of this user has its socket there. */
  readonly hasAgent: boolean;
  /** Whether its mode lets others in. */
  readonly isOpen: boolean;
  /** Why findStateFolder would not take it. */
  readonly problem: string | undefined;
  /** Whether the problem is what lies there itself: no parent folder, disk or other machine. */
  readonly isSpoiled: boolean;
}

/** Looks at the candidates, in order of preference, by the rules of findStateFolder. Creates and changes nothing. */
export async function inspectStateFolders(user: User): Promise<FolderReport[]> {
  return await Promise.all(
    stateFolders(user).map(async (folder) => {
      const there = await lstat(folder).catch(() => undefined);
      const elsewhere = await otherMachine(folder);
      const has = elsewhere === undefined && (await hasAgent(folder, user));
      const problem = has ? undefined : (elsewhere ?? (await problemOf(folder, there, user)));
      const isOpen = ((there?.mode ?? 0) & anybodyElse) !== 0;
      const isThere = there !== undefined;
      const isSpoiled = isThere && problem !== undefined && problem === unsafeItself(there, user.id);
      return { folder, isThere, hasAgent: has, isOpen, problem, isSpoiled };
    }),
  );
}

async function problemOf(folder: string, there: Stats | undefined, user: User): Promise<string | undefined> {
  const reason = unfit(folder);
  if (reason !== undefined) return reason;
  if (!(await hasOwnersParent(folder, user))) return notOwners;
  const parent = dirname(folder);
  // The parent in the home folder is created when it is needed.
  const isMade = isInHome(folder, user) && !(await stat(parent).catch(() => undefined));
  const unsafe = await unsafeParent(isMade ? dirname(parent) : parent);
  if (unsafe !== undefined) return unsafe;
  if (there)
    return unsafeItself(there, user.id) ?? ((await isWritable(folder)) ? undefined : reasons['EROFS']);
  return (await isWritable(isMade ? dirname(parent) : parent)) ? undefined : 'it cannot be created';
}

/** Explains why a file could not be created in the agent's folder. */
export function unwritable(folder: string, cause: unknown): unknown {
  const reason = reasons[codeOf(cause as NodeJS.ErrnoException)];
  if (reason === undefined) return cause;
  return new Failure('STATE_UNSAFE', `no file can be written in ${folder}: ${reason}`, {
    hint: 'free space on that disk (df -h, df -i), or set HOME to a folder on another disk',
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
