/** Bytes, both ways between ssh and a tunnel, at the pace of the slower side, until one of them ends. */
import type { Duplex, Readable, Writable } from 'node:stream';

export interface Stdio {
  /** What ssh writes. */
  readonly input: Readable;
  /** What ssh reads: SSH's bytes, and nothing else ever. */
  readonly output: Writable;
  /** Aborted when ssh, or somebody, ends this process. */
  readonly signal: AbortSignal;
}

/** Sees what passes. */
export interface Watch {
  fromClient(chunk: Buffer): void;
  fromHost(chunk: Buffer): void;
}

/** Milliseconds that the host has for its last words where there is no more input. */
const lastWords = 500;

/**
 * Resolves when either side has ended, or the signal is aborted. The stream is left as it is.
 *
 * @throws what the stream is destroyed with
 */
export async function carry(stream: Duplex, { input, output, signal }: Stdio, watch: Watch): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      resolve();
    };
    // It may have broken while a key was pushed.
    if (stream.errored) reject(stream.errored);
    else if (stream.destroyed || stream.readableEnded || signal.aborted) end();
    stream.once('error', reject);
    stream.once('close', end);
    stream.once('end', () => {
      // What was read before is written first.
      output.write('', end);
    });
    // Stays: a standard output that is closed fails again at each write, until this process has ended.
    output.on('error', end);
    input.once('error', end);
    input.once('end', () => {
      setTimeout(end, lastWords).unref();
    });
    signal.addEventListener('abort', end, { once: true });
    input.on('data', (chunk: Buffer) => {
      watch.fromClient(chunk);
    });
    stream.on('data', (chunk: Buffer) => {
      watch.fromHost(chunk);
    });
    input.pipe(stream);
    stream.pipe(output, { end: false });
  });
}
