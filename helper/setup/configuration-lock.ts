/**
 * `FILE.lock`, as git takes it (lockfile.c). git leaves it in place when it is killed, and then nothing can be written. Ours
 * has a second name with the number of its process, by which the next setup removes it.
 */
import { link, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

export interface Lock {
  readonly handle: FileHandle;
  readonly path: string;
  /** Removes it, unless it has become the file. */
  readonly release: () => Promise<void>;
}

/** Machines and containers may share the folder: each knows its own processes alone. */
const mark = `.ssm-ssh-agent-${hostname().replaceAll('/', '_')}-`;

/** File systems without hard links (link(2)). */
const noLinks: readonly unknown[] = ['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS'];

/** @throws EEXIST where another program has the lock */
export async function lockFile(target: string): Promise<Lock> {
  await removeDead(target);
  const path = `${target}.lock`;
  const own = `${target}${mark}${process.pid}`;
  const handle = await open(own, 'wx', 0o666);
  try {
    await link(own, path);
  } catch (error) {
    await Promise.all([handle.close(), rm(own)]);
    if (noLinks.includes((error as NodeJS.ErrnoException).code))
      return await lockOf(await open(path, 'wx', 0o666), path);
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
  return await lockOf(handle, path, own);
}

async function lockOf(handle: FileHandle, path: string, own?: string): Promise<Lock> {
  const { ino } = await handle.stat();
  const release = async (): Promise<void> => {
    await handle.close().catch(() => undefined);
    if ((await inodeOf(path)) === ino) await rm(path, { force: true });
    if (own !== undefined) await rm(own, { force: true });
  };
  return { handle, path, release };
}

/** Of several setups, the one that renames the second name removes the lock. Nobody else can take it before that. */
async function removeDead(target: string): Promise<void> {
  const folder = dirname(target);
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names.filter((one) => one.startsWith(`${basename(target)}${mark}`))) {
    const pid = Number.parseInt(name.slice(basename(target).length + mark.length), 10);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    const taken = `${target}${mark}${process.pid}.dead`;
    const isMine = await rename(join(folder, name), taken).then(
      () => true,
      () => false,
    );
    if (!isMine) continue;
    const [held, dead] = await Promise.all([inodeOf(`${target}.lock`), inodeOf(taken)]);
    if (held === dead) await rm(`${target}.lock`, { force: true });
    await rm(taken, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** undefined where there is no such file. */
async function inodeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );
}
