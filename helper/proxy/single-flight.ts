/**
 * Makes a value once for all processes that need it at the same time. Without a lock, so that a killed process blocks
 * nobody.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Making<T> {
  /** @param folder a folder for this value; removed if `make` fails */
  readonly make: (folder: string) => Promise<T>;
  /** Whether an existing value can still be used. */
  readonly isGood: (made: T, folder: string) => boolean;
  /** Milliseconds to wait for another process, before this process makes the value itself. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

/** Milliseconds. */
const pause = 10;
const file = 'made';

/**
 * `place` has numbered folders. The process that creates the next one makes the value: mkdir(2) succeeds for one
 * process only.
 *
 * @param place a folder; created if it does not exist
 * @returns a value that JSON can represent
 */
export async function singleFlight<T>(place: string, making: Making<T>): Promise<T> {
  const { isGood, patience, signal } = making;
  await mkdir(place, { recursive: true, mode: 0o700 });
  for (;;) {
    signal.throwIfAborted();
    const last = await lastNumber(place);
    const latest = join(place, String(last));
    const made = await read<T>(latest);
    if (made !== undefined && isGood(made, latest)) return made;
    if (made === undefined && (await isYoung(latest, patience))) {
      await sleep(pause, undefined, { signal });
    } else if (await claim(join(place, String(last + 1)))) {
      // Other processes may still read the previous folder, so only the one before it is removed. It does not matter if
      // that fails because a process writes there.
      await rm(join(place, String(last - 1)), { recursive: true, force: true }).catch(() => undefined);
      return await makeIn(join(place, String(last + 1)), making);
    }
  }
}

/** The latest value, if it can still be used. */
export async function madeAlready<T>(
  place: string,
  { isGood }: Pick<Making<T>, 'isGood'>,
): Promise<T | undefined> {
  const latest = join(place, String(await lastNumber(place).catch(() => 0)));
  const made = await read<T>(latest);
  return made !== undefined && isGood(made, latest) ? made : undefined;
}

async function lastNumber(place: string): Promise<number> {
  return Math.max(0, ...(await readdir(place)).map(Number).filter(Number.isInteger));
}

async function makeIn<T>(folder: string, { make }: Making<T>): Promise<T> {
  try {
    const made = await make(folder);
    await note(folder, made).catch(unlessGone);
    return made;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function note(folder: string, made: unknown): Promise<void> {
  await writeFile(join(folder, `${file}.new`), JSON.stringify(made), { flag: 'wx', mode: 0o600 });
  await rename(join(folder, `${file}.new`), join(folder, file));
}

/**
 * If `make` took very long, two other processes have made newer values and removed this folder. The value is still
 * valid.
 */
export function unlessGone(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

async function read<T>(folder: string): Promise<T | undefined> {
  const text = await readFile(join(folder, file), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

async function isYoung(folder: string, patience: number): Promise<boolean> {
  const there = await stat(folder).catch(() => undefined);
  return there !== undefined && Date.now() - there.mtimeMs < patience;
}

async function claim(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
