/** Starts a program that outlives this process, in its own session and without this process's files. It may keep another child alive. */
import { spawn, type ChildProcessWithoutNullStreams, type StdioOptions } from 'node:child_process';
import type { Writable } from 'node:stream';
import { ProgramNotFound } from './program-not-found.ts';
import { exitCodeOf, type Finished } from './run.ts';

export interface Detached extends Omit<Finished, 'stdout'> {
  /** The first line of its output; empty if it ended without output. */
  readonly firstLine: string;
}

export interface DetachedOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Standard input, which is then closed. Absent: none. */
  readonly input?: string;
  /** Of another child, which then lives as long as this program. */
  readonly lifeline?: Writable | undefined;
}

/**
 * Waits for the first line of its output, or its end.
 *
 * @throws ProgramNotFound, the signal's reason, which ends the program
 */
export async function startDetached(
  [program, ...args]: readonly [string, ...string[]],
  { env, signal, input, lifeline }: DetachedOptions,
): Promise<Detached> {
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...(lifeline ? [lifeline] : [])];
    const options = { env, cwd: '/', stdio, detached: true };
    const child = spawn(program, args, options) as ChildProcessWithoutNullStreams;
    child.stdin.on('error', () => undefined).end(input);
    const stop = (): void => {
      child.kill('SIGKILL');
      reject(signal.reason as Error);
    };
    let [stdout, stderr] = ['', ''];
    const settle = (exitCode: number): void => {
      signal.removeEventListener('abort', stop);
      for (const pipe of [child.stdout, child.stderr]) pipe.destroy();
      child.unref();
      const [firstLine = ''] = stdout.split('\n', 1);
      resolve({ firstLine, exitCode, stderr });
    };
    signal.addEventListener('abort', stop, { once: true });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('\n')) settle(0);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (cause) => {
      signal.removeEventListener('abort', stop);
      reject(new ProgramNotFound(`${program} is not on PATH`, { cause }));
    });
    child.on('close', (code, ended) => {
      settle(exitCodeOf(code, ended));
    });
  });
}
