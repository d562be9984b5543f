/** Reads a small file that an earlier job left. Does not wait for a pipe, a device or a link that somebody put there instead. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isOutOfFiles } from '../errors.ts';

/** Bytes. Our files are smaller. */
const longest = 65_536;

/**
 * @returns an empty text if there is no such file, or something else
 *
 * @throws if this process can open no more files: then nothing is known about this file
 */
export async function readOwnFile(path: string): Promise<string> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: unknown) => {
    if (isOutOfFiles(error)) throw error;
    return undefined;
  });
  if (!file) return '';
  try {
    if (!(await file.stat()).isFile()) return '';
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(longest) });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
