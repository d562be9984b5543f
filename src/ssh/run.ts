/** How the stations start a program: never through a shell, its secrets on standard input only. */

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Rejects with ProgramNotFound where the program is not on PATH. Any exit code resolves. */
export type Run = (argv: readonly [string, ...string[]], options: RunOptions) => Promise<Finished>;

export class ProgramNotFound extends Error {
  override name = 'ProgramNotFound';
}
