/** Reads the text of a private key from a file or from standard input. The text is never shown. */
import { setTimeout } from 'node:timers/promises';
import { abortable } from '../../src/deadline.ts';
import type { Input, Running } from '../command-line/command.ts';
import { ownInput, readAll, readFile, textOf, tooLarge, type Expected } from '../command-line/read-input.ts';

const expected: Expected = {
  what: 'a private key',
  hint: 'write the path of the private key, or pipe the key in: ssm-ssh-agent put NAME < FILE',
  // A secret holds 64 KB, and people have keys in base64 twice, or in UTF-16.
  mostBytes: 262_144,
};

/**
 * @param file a path, or `-` for standard input
 * @returns secret
 * @throws INPUT_INVALID
 */
export async function readKeyText(
  file: string,
  running: Pick<Running, 'input' | 'err' | 'signal' | 'untimed'>,
): Promise<string> {
  const { signal } = running;
  if (!ownInput.includes(file)) return textOf(await readFile(file, expected, signal));
  const input = running.input();
  const reading = input.isTerminal
    ? readTerminal(input, running)
    : readAll(input.stream, 'standard input', expected);
  return textOf(await running.untimed(abortable(reading, signal)));
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
      if (size > expected.mostBytes) throw tooLarge('standard input', expected);
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
