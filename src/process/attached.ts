/** Runs a program with this process's input and output, passes signals on to it, and returns its exit code. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

export type Forwarded = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

/** The part of `process` that this needs. */
export interface SignalSource {
  on(signal: Forwarded, listener: () => void): unknown;
  off(signal: Forwarded, listener: () => void): unknown;
}

export interface AttachedOptions {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signals: SignalSource;
  /**
   * Whether there is a terminal: it sends signals to every process in the foreground, so they must not be passed on
   * again.
   */
  readonly terminal: boolean;
}

const fromTerminal: ReadonlySet<Forwarded> = new Set(['SIGINT', 'SIGQUIT']);

/**
 * @returns the exit code, or 128 plus the number of the signal that ended it, as in a shell
 * @throws the system's error if the program cannot be started
 */
export async function runAttached(
  [program, ...args]: readonly [string, ...string[]],
  { env, signals, terminal }: AttachedOptions,
): Promise<number> {
  const child = spawn(program, args, { env, stdio: 'inherit' });
  const forward = (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const).map((name) => {
    const listener = (): void => {
      if (!(terminal && fromTerminal.has(name))) child.kill(name);
    };
    signals.on(name, listener);
    return [name, listener] as const;
  });
  try {
    return await new Promise((resolve, reject) => {
      child.on('error', (error) => {
        // A signal that was not delivered: the program runs as another user, with sudo. It goes on, so this waits for it.
        if (child.pid !== undefined) return;
        reject(error);
      });
      child.on('exit', (code, signal) => {
        resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
      });
    });
  } finally {
    for (const [name, listener] of forward) signals.off(name, listener);
  }
}
