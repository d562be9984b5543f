/** Reads a text that somebody has in a file, or pipes in. */
import type { Readable } from 'node:stream';
import { Failure } from '../../src/errors.ts';
import { readGivenFile, UnfitFile } from '../../src/process/read-given-file.ts';
import { invalid } from './parse.ts';

export interface Expected {
  /** `a private key`, for messages. */
  readonly what: string;
  /** For a file that cannot be read. */
  readonly hint: string;
  readonly mostBytes: number;
}

/** Other names of standard input, which can be a terminal. */
export const ownInput: readonly string[] = ['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];

/** @throws INPUT_INVALID */
export async function readFile(file: string, expected: Expected, signal: AbortSignal): Promise<Buffer> {
  try {
    return await readGivenFile(file, { signal, most: expected.mostBytes });
  } catch (error) {
    signal.throwIfAborted();
    const { code = '' } = error as NodeJS.ErrnoException;
    const why: Readonly<Record<string, string>> = {
      ENOENT: `there is no file ${file}`,
      EISDIR: `${file} is a folder, not a file`,
      EACCES: `the file ${file} may not be read by this user`,
    };
    const unfit = error instanceof UnfitFile ? error.message : `cannot be read (${code})`;
    throw new Failure('INPUT_INVALID', why[code] ?? `the file ${file} ${unfit}`, {
      hint: expected.hint,
      cause: error,
    });
  }
}

/**
 * @param name of the stream, for messages
 * @throws INPUT_INVALID
 */
export async function readAll(stream: Readable, name: string, expected: Expected): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > expected.mostBytes) throw tooLarge(name, expected);
  }
  return Buffer.concat(chunks);
}

export function tooLarge(name: string, { what, mostBytes }: Expected): Failure {
  return invalid(`${name} has more than ${mostBytes} bytes, and is not ${what}`, 'give the file of one key');
}

/** PowerShell writes UTF-16; a file in DER is not text. */
export function textOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString('base64');
  }
}
