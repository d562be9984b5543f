/** Compares two folders of files, byte by byte. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Path below the folder, with slashes → its bytes. */
export type FileBytes = ReadonlyMap<string, Buffer>;

/** Every file of a folder. A symlink counts as the file that it leads to. */
export function readFolder(folder: string): FileBytes {
  if (!existsSync(folder)) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path)]));
}

export const sizeOf = (files: FileBytes): number =>
  [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);

/**
 * @param below the name of the folder, for the messages
 * @returns one line for each file that is too many, not there, or not the same
 */
export function differences(wanted: FileBytes, there: FileBytes, below: string): string[] {
  return [
    ...[...there.keys()].filter((path) => !wanted.has(path)).map((path) => `leftover: ${below}/${path}`),
    ...[...wanted.keys()].filter((path) => !there.has(path)).map((path) => `missing: ${below}/${path}`),
    ...[...wanted]
      .filter(([path, bytes]) => there.get(path)?.equals(bytes) === false)
      .map(([path]) => `stale: ${below}/${path}`),
  ];
}
