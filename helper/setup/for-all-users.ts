/** What setup --system tells every user of the host to use: whether they can. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const [readByOthers, enteredByOthers] = [0o004, 0o001];

/**
 * By its mode, for users who are neither its owner nor in its group.
 *
 * @param path absolute
 * @returns the file, or the folder above it, that they cannot read or enter; undefined where they can
 */
export async function closedToOthers(path: string): Promise<string | undefined> {
  for (let place = dirname(path); ; place = dirname(place)) {
    if (!(await allows(place, enteredByOthers))) return place;
    if (place === dirname(place)) break;
  }
  return (await isReadByOthers(path)) ? undefined : path;
}

/** Whatever the folders above it are. */
export async function isReadByOthers(path: string): Promise<boolean> {
  return await allows(path, readByOthers);
}

async function allows(path: string, bit: number): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  // What is not there is nothing that a mode can open.
  return there === undefined || (there.mode & bit) !== 0;
}
