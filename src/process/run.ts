/** Starts a program: never through a shell, its secrets on standard input only, gone when the signal says so. */
import { spawn } from 'node:child_process';

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The folder to start in; this process's own unless told. */
  readonly cwd?: string | undefined;
  readonly signal: AbortSignal;
}

/** Starts a program that is given nothing on its standard input. The action's is @actions/exec's (src/runner.ts). */
export type Run = (
  argv: readonly [string, ...string[]],
  options: Pick<RunOptions, 'env' | 'signal'>,
) => Promise<Finished>;

export class ProgramNotFound extends Error {
  override name = 'ProgramNotFound';
}

/**
 * Any exit code resolves. Rejects with ProgramNotFound, or with the signal's reason once it is aborted.
 *
 * @param argv the program, looked up in PATH, and its arguments
 */
export async function run(
  [program, ...args]: readonly [string, ...string[]],
  options: RunOptions,
): Promise<Finished> {
  const { env, input = '', cwd, signal } = options;
  signal.throwIfAborted();
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, stdio: 'pipe', signal, killSignal: 'SIGKILL' });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT' || error.code === 'EACCES';
      reject(missing ? new ProgramNotFound(`${program} is not on PATH`) : abortReason(error, signal));
    });
    child.on('close', (code) => {
      resolve({ exitCode: code ?? 1, stdout, stderr });
    });
    // A program that ends without reading tells more by its exit code than the broken pipe does.
    child.stdin.on('error', () => undefined).end(input);
  });
}

function abortReason(error: Error, signal: AbortSignal): Error {
  return signal.aborted && signal.reason instanceof Error ? signal.reason : error;
}
