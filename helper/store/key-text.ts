/** Reads the text of a private key from a file or from standard input. The text is never shown. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { abortable } from '../../src/deadline.ts';
import { Failure } from '../../src/errors.ts';
import type { Input, Running } from '../command-line/command.ts';
import { invalid } from '../command-line/parse.ts';

/** Bytes. A secret holds 64 KB, and people have keys in base64 twice, or in UTF-16. */
const mostBytes = 262_144;

/**
 * @param file a path, or `-` for standard input
 * @returns secret
 * @throws INPUT_INVALID
 */
export async function readKeyText(
  file: string,
  running: Pick<Running, 'input' | 'err' | 'signal'>,
): Promise<string> {
  const { signal } = running;
  if (file !== '-') return textOf(await abortable(readFile(file), signal));
  const input = running.input();
  const reading = input.isTerminal ? readTerminal(input, running) : readAll(input.stream, 'standard input');
  return textOf(await abortable(reading, signal));
}

async function readFile(file: string): Promise<Buffer> {
  try {
    return await readAll(createReadStream(file), `the file ${file}`);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    const why: Readonly<Record<string, string>> = {
      ENOENT: `there is no file ${file}`,
      EISDIR: `${file} is a folder, not a file`,
      EACCES: `the file ${file} may not be read by this user`,
    };
    throw new Failure('INPUT_INVALID', why[code] ?? `the file ${file} cannot be read (${code})`, {
      hint: 'write the path of the private key, or pipe the key in: ssm-ssh-agent put NAME < FILE',
      cause: error,
    });
  }
}

async function readAll(stream: Readable, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostBytes) throw tooLarge(what);
  }
  return Buffer.concat(chunks);
}

function tooLarge(what: string): Failure {
  return invalid(
    `${what} has more than ${mostBytes} bytes, and is not a private key`,
    'give the file of one key',
  );
}

const [interrupt, end] = [3, 4];

/** In raw mode the terminal does not show what is typed, and passes Ctrl-C and Ctrl-D on as characters. */
async function readTerminal(
  { stream, setRaw }: Input,
  { err, signal }: Pick<Running, 'err' | 'signal'>,
): Promise<Buffer> {
  setRaw?.(true);
  try {
    err('ssm-ssh-agent: paste the private key (it is not shown), then press Enter and Ctrl-D\n');
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const stop = chunk.findIndex((byte) => byte === end || byte === interrupt);
      chunks.push(stop < 0 ? chunk : chunk.subarray(0, stop));
      if (chunk[stop] === interrupt) await interrupted(signal);
      if (stop >= 0) break;
      size += chunk.length;
      if (size > mostBytes) throw tooLarge('standard input');
    }
    return Buffer.concat(chunks);
  } finally {
    setRaw?.(false);
  }
}

/** As the terminal does it outside of raw mode. Node delivers the signal later, and the timer keeps Node alive until then. */
async function interrupted(signal: AbortSignal): Promise<void> {
  process.kill(process.pid, 'SIGINT');
  await setTimeout(5_000, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}

/** PowerShell writes UTF-16; a file in DER is not text. */
function textOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString('base64');
  }
}
