/** A child process that notices the end of this process by the end of its standard input. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { ProgramNotFound } from './program-not-found.ts';
import type { Finished } from './run.ts';

export interface ChildWithLifeline {
  /** Our end of its standard input. A process that inherits it keeps the child, too. */
  readonly lifeline: Writable;
  /** The first line of its output; empty if it ended without output. */
  readonly firstLine: string;
  /** Closes its standard input and waits until it has ended. */
  end(): Promise<Omit<Finished, 'stdout'>>;
}

export interface LifelineOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** The start of its standard input, which stays open. */
  readonly input?: string;
}

/** Milliseconds, in which a child that lost its lifeline cleans up. */
const patience = 2000;

function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || (exitCode ?? signalCode) !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/**
 * It has its own session, so the terminal's signals do not reach it. If this process is killed, the pipe is closed,
 * too.
 *
 * @throws ProgramNotFound, the signal's reason, after the end of the child
 */
export async function startChildWithLifeline(
  [program, ...args]: readonly [string, ...string[]],
  { env, signal, input }: LifelineOptions,
): Promise<ChildWithLifeline> {
  signal.throwIfAborted();
  const child = spawn(program, args, { env, stdio: 'pipe', detached: true });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  if (input !== undefined) child.stdin.write(input);
  const closed = new Promise<number>((resolve) => {
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
  await once(child, 'spawn').catch((error: unknown) => {
    throw new ProgramNotFound(`${program} is not on PATH`, { cause: error });
  });
  const stop = (): void => {
    child.stdin.end();
    // A program that hangs does not notice that.
    setTimeout(killGroup, patience, child).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  // It may have been aborted before the child was there.
  if (signal.aborted) stop();
  const firstLine = await new Promise<string>((resolve) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      if (text.includes('\n')) resolve(text.split('\n', 1)[0] ?? '');
    });
    void closed.then(() => {
      resolve('');
    });
  });
  signal.removeEventListener('abort', stop);
  if (signal.aborted) await closed;
  signal.throwIfAborted();
  return {
    lifeline: child.stdin,
    firstLine,
    end: async () => {
      child.stdin.end();
      return { exitCode: await closed, stderr };
    },
  };
}
