/** Compares how a program ended with what is promised. Pure. */
import type { Code } from '../../../src/errors.ts';
import type { Ended } from './namespace.ts';

/** `ok`: it succeeds; `failed`: it fails as the broken program does, with no code of ours. */
export type Promised = 'ok' | 'failed' | Code | readonly ('ok' | 'failed' | Code)[];

export interface LocalOutcome {
  readonly code: string;
  readonly milliseconds: number;
  /** Broken promises; empty if there are none. */
  readonly wrong: readonly string[];
  readonly late: boolean;
  readonly log: string;
}

interface Judging {
  readonly promised: Promised;
  /** Nobody could read what it said: only the exit code counts. */
  readonly isMute: boolean;
  readonly secrets: readonly string[];
}

const told = /^(?:ssm-ssh|ssm-ssh-agent|git-credential-ssm): ([A-Z_]+): .*$/gm;
const stack = /^\s+at \S+.*:\d+:\d+\)?$|node:internal|Assertion|Aborted|unsettled|webpack/m;

export function judge(
  { code: exitCode, stdout, stderr, milliseconds }: Ended,
  { promised, isMute, secrets }: Judging,
): Omit<LocalOutcome, 'late'> {
  const codes = [...stderr.matchAll(told)].map(([, code = '']) => code);
  const code = exitCode === 0 ? 'ok' : codes.join() || 'failed';
  const wanted = [promised].flat();
  const isRight = wanted.includes(code as Code) || (isMute && exitCode !== 0 && !wanted.includes('ok'));
  const lines = stderr.split('\n');
  const hasHints = lines.every(
    (line, at) => new RegExp(told, '').exec(line) === null || lines[at + 1]?.startsWith('hint: ') === true,
  );
  const hidden = secrets.flatMap((text) => text.trim().split('\n').slice(3, -1));
  const wrong = [
    isRight ? [] : `${code} (${exitCode}) instead of ${wanted.join(' or ')}`,
    exitCode === 0 && codes.length > 0 ? 'an error, and success' : [],
    codes.length > 1 ? 'more than one error' : [],
    hasHints ? [] : 'an error without a hint',
    stack.test(stderr) ? 'a stack trace' : [],
    hidden.some((line) => `${stdout}${stderr}`.includes(line)) ? 'a secret' : [],
  ].flat();
  return { code, milliseconds, wrong, log: `${stdout}${stderr}` };
}
