/** Copies bytes both ways between ssh and a tunnel, at the pace of the slower side, until one of them ends. */
import type { Duplex, Readable, Writable } from 'node:stream';

export interface Stdio {
  /** Bytes from ssh. */
  readonly input: Readable;
  /** Bytes to ssh: SSH's protocol and nothing else. */
  readonly output: Writable;
  /** Aborted when ssh or a signal ends this process. */
  readonly signal: AbortSignal;
}

/** Observes the bytes. */
export interface Watch {
  fromClient(chunk: Buffer): void;
  fromHost(chunk: Buffer): void;
}

/** Milliseconds for the host's last bytes after the end of input. */
const drainTime = 500;

/**
 * Resolves when either side ends or the signal is aborted. It does not close the stream.
 *
 * @throws the error that the stream was destroyed with
 */
export async function carry(stream: Duplex, { input, output, signal }: Stdio, watch: Watch): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      resolve();
    };
    // The tunnel may have failed during the push of the key.
    if (stream.errored) reject(stream.errored);
    else if (stream.destroyed || stream.readableEnded || signal.aborted) end();
    stream.once('error', reject);
    stream.once('close', end);
    stream.once('end', () => {
      // Write everything that was read before.
      output.write('', end);
    });
    // Never removed: a closed standard output fails again at each write.
    output.on('error', end);
    input.once('error', end);
    input.once('end', () => {
      setTimeout(end, drainTime).unref();
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
