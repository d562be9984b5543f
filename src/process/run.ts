/** Runs a program: without a shell, with secrets only on standard input. The signal ends it. */
import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { constants } from 'node:os';
import { ProgramNotFound } from './program-not-found.ts';

export interface Finished {
  /** 128 plus the signal's number if a signal ended the program, as in a shell. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The folder to start in. Default: this process's own. */
  readonly cwd?: string | undefined;
  readonly signal: AbortSignal;
}

/** Starts a program without standard input. The action uses @actions/exec (src/runner.ts). */
export type Run = (
  argv: readonly [string, ...string[]],
  options: Pick<RunOptions, 'env' | 'signal'>,
) => Promise<Finished>;

/**
 * Resolves for any exit code. Rejects with ProgramNotFound, or with the signal's reason if it is aborted.
 *
 * @param argv the program, found through PATH, and its arguments
 */
export async function run(
  [program, ...args]: readonly [string, ...string[]],
  options: RunOptions,
): Promise<Finished> {
  const { env, input = '', cwd, signal } = options;
  signal.throwIfAborted();
  const child = spawn(program, args, { env, cwd, stdio: 'pipe', signal, killSignal: 'SIGKILL' });
  return await finished(child, { program, input, signal });
}

/** A child whose three standard streams are pipes. */
export type PipedChild = ChildProcess & Pick<ChildProcessWithoutNullStreams, 'stdin' | 'stdout' | 'stderr'>;

/** Waits for a child that the signal ends. */
export async function finished(
  child: PipedChild,
  {
    program,
    input,
    signal,
  }: { readonly program: string; readonly input: string; readonly signal: AbortSignal },
): Promise<Finished> {
  return await new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT' || error.code === 'EACCES';
      reject(missing ? new ProgramNotFound(`${program} is not on PATH`) : abortReason(error, signal));
    });
    child.on('close', (code, ended) => {
      resolve({ exitCode: exitCodeOf(code, ended), stdout, stderr });
    });
    // Ignores the broken pipe: the exit code of a program that did not read says more.
    child.stdin.on('error', () => undefined).end(input);
  });
}

/** Programs use small exit codes for answers: git config exits with 1 if nothing is set. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

function abortReason(error: Error, signal: AbortSignal): Error {
  return signal.aborted && signal.reason instanceof Error ? signal.reason : error;
}
