/** What one of all processes makes that want it at the same time, and the others take. Without a lock: nobody's death blocks it. */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Making<T> {
  /** @param folder its own; gone again where making fails */
  readonly make: (folder: string) => Promise<T>;
  /** Whether what was made in the folder is still of use. */
  readonly isGood: (made: T, folder: string) => boolean;
  /** Milliseconds that others wait for whoever makes it, before they do it themselves. */
  readonly patience: number;
  readonly signal: AbortSignal;
}

/** Milliseconds. */
const pause = 10;
const file = 'made';

/**
 * Folders in `place` have numbers: who makes the next one makes what is wanted, since mkdir(2) lets one alone succeed.
 *
 * @param place a folder, made where it is not there
 * @returns what can be written as JSON
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
      // Whoever still reads the one before may go on with it.
      // Somebody may be writing there at this moment: it is nobody's reason to fail.
      await rm(join(place, String(last - 1)), { recursive: true, force: true }).catch(() => undefined);
      return await makeIn(join(place, String(last + 1)), making);
    }
  }
}

/** What was made last, if it is still of use. */
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

/** Where making took so long that two others have come in front, the folder is gone. What was made is good all the same. */
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
