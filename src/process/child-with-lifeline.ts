/** A child process that notices the end of this process by the end of its standard input. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ProgramNotFound, type Finished } from './run.ts';

export interface ChildWithLifeline {
  /** The first line of its output; empty if it ended without output. */
  readonly firstLine: string;
  /** Closes its standard input and waits until it has ended. */
  end(): Promise<Omit<Finished, 'stdout'>>;
}

/**
 * It has its own session, so the terminal's signals do not reach it. If this process is killed, the pipe is closed,
 * too.
 *
 * @throws ProgramNotFound
 */
export async function startChildWithLifeline(
  [program, ...args]: readonly [string, ...string[]],
  { env, signal }: { readonly env: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<ChildWithLifeline> {
  signal.throwIfAborted();
  const child = spawn(program, args, { env, stdio: 'pipe', detached: true });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => {
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
  await once(child, 'spawn').catch((error: unknown) => {
    throw new ProgramNotFound(`${program} is not on PATH`, { cause: error });
  });
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
  return {
    firstLine,
    end: async () => {
      child.stdin.end();
      return { exitCode: await closed, stderr };
    },
  };
}
