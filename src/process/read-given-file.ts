/**
 * Reads a file that somebody named, which can be a pipe: `<(COMMAND)`, or a named one. A read that blocks would keep Node
 * from ending, even by a signal: so nothing blocks here.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';

export class UnfitFile extends Error {
  override name = 'UnfitFile';
}

export interface ReadLimits {
  readonly signal: AbortSignal;
  /** Bytes. */
  readonly most: number;
}

/** Milliseconds until an empty pipe is read again. */
const pause = 20;

/**
 * Waits for the writer of a named pipe.
 *
 * @throws UnfitFile for a terminal, whose echo shows what is typed, and for more than `most` bytes; system errors; the
 * signal's reason
 * @source fifo(7), open(2), O_NONBLOCK
 */
export async function readGivenFile(path: string, limits: ReadLimits): Promise<Buffer> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (isatty(handle.fd)) throw new UnfitFile('is a terminal');
    // A pipe without a name has had its writer from the beginning.
    const waits = (await handle.stat()).isFIFO() && !/^\/(dev|proc)\//.test(path);
    return await readToEnd(handle, waits, limits);
  } finally {
    await handle.close();
  }
}

async function readToEnd(
  handle: FileHandle,
  waitsForWriter: boolean,
  { signal, most }: ReadLimits,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = await readOnce(handle);
    if (chunk?.length === 0 && (size > 0 || !waitsForWriter)) return Buffer.concat(chunks);
    if (chunk && chunk.length > 0) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > most) throw new UnfitFile(`has more than ${most} bytes`);
    } else await sleep(pause);
    signal.throwIfAborted();
  }
}

/** @returns undefined if the pipe has a writer, and nothing to read; empty at the end */
async function readOnce(handle: FileHandle): Promise<Buffer | undefined> {
  try {
    const { bytesRead, buffer } = await handle.read({ buffer: Buffer.alloc(65_536) });
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}
