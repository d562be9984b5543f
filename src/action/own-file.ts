/** A small file that an earlier job left. What others put in its place (a pipe, a device, a link) is not waited for. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isOutOfFiles } from '../errors.ts';

/** Bytes: more than any of ours has. */
const longest = 65_536;

/**
 * Empty where there is none, or something else.
 *
 * @throws where no more files can be opened: that says nothing of this one
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
