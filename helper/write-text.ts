/** Standard output and standard error, written synchronously: process.stdout on a pipe may lose output when the process exits. */
import { writeSync } from 'node:fs';

/** Nobody reads standard output any more, as in `ssm-ssh-agent policy … | head -1`. */
export class OutputClosed extends Error {
  override name = 'OutputClosed';
}

/** 128 and the number of SIGPIPE, which ends other programs there. Node ignores the signal. */
export const closedOutput = 141;

/** @throws OutputClosed */
export function writeOutput(text: string): void {
  if (!writeAll(1, text)) throw new OutputClosed('standard output is closed');
}

/** A message that nobody can read, because its reader is gone or its disk is full, ends nothing. */
export function writeError(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // There is no other place to say it.
  }
}

/** Milliseconds until a full pipe is tried again. Only a pipe that another program has made non-blocking needs it. */
const pause = 5;

/** @returns false if the other end is closed */
function writeAll(descriptor: number, text: string): boolean {
  let left = Buffer.from(text);
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(descriptor, left));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
    }
  }
  return true;
}
