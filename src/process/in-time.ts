/** The time limit of a program of this machine that another one waits for: git and ssh-agent answer at once, or never. */
import { abortAfter, anySignal } from '../deadline.ts';
import { Failure } from '../errors.ts';
import { parseLifetime } from '../keys/lifetime.ts';

export interface Waiting {
  /** Its name, and what it was asked: `git config`. */
  readonly program: string;
  /** SSM_SSH_TIMEOUT of it is the limit. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Also ends the work. */
  readonly signal?: AbortSignal | undefined;
}

/** Seconds. setTimeout treats a longer time as 1 millisecond. */
const [usual, longest] = [30, 2_147_483];

/** Seconds. Whoever reads AWS says that SSM_SSH_TIMEOUT is no duration: here it counts as not set. */
export function programSeconds(env: Waiting['env']): number {
  return Math.min(longest, Math.max(1, parseLifetime(env['SSM_SSH_TIMEOUT'] ?? '') ?? usual));
}

/**
 * @param work ends the program when its signal is aborted, and rejects with the signal's reason; this waits for that
 * @throws TIMEOUT that names the program
 */
export async function inTime<T>(
  { program, env, signal }: Waiting,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const seconds = programSeconds(env);
  const limit = new AbortController();
  const timer = abortAfter(seconds * 1000, limit, unanswered(program, seconds));
  try {
    return await work(signal ? anySignal(signal, limit.signal) : limit.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** helper/ssm-ssh has the same words. @param program its first word is looked for in PATH */
export function unanswered(program: string, seconds: number): Failure {
  const [name = program] = program.split(' ', 1);
  return new Failure('TIMEOUT', `${program} has not answered within ${seconds} seconds`, {
    hint: `see why ${name} hangs: run it by hand (command -v ${name}); or raise SSM_SSH_TIMEOUT`,
  });
}
