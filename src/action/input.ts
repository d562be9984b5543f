/** One input of action.yml, as the runner hands it over. Pure. */
import { Failure } from '../errors.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** The defaults in action.yml. */
export const defaults: Readonly<Record<string, string>> = {
  'role-duration-seconds': '900',
  'session-policy': 'auto',
  'force-skip-oidc': 'false',
  'use-existing-credentials': 'false',
  'mask-aws-account-id': 'false',
  'strict-host-key-checking': 'yes',
  'key-lifetime': '6h',
  'max-attempts': '5',
  'timeout-seconds': '120',
  'restrict-to-hosts': 'false',
  'git-signing': 'false',
  'ssh-config': 'false',
  summary: 'true',
};

/**
 * Reads an input as @actions/core does: hyphens stay in the name, white space around the value is removed. An empty input
 * counts as not set: a reusable workflow may pass one on.
 */
export function input(env: Env, name: string): string {
  return (env[`INPUT_${name.toUpperCase()}`] ?? '').trim() || (defaults[name] ?? '');
}

/** As `input`, but keeps blank lines at the start: errors give the number of a line. */
export function lines(env: Env, name: string): string {
  return (env[`INPUT_${name.toUpperCase()}`] ?? '').trimEnd();
}

/** The values between commas or line ends, each once. */
export function list(env: Env, name: string): string[] {
  const items = input(env, name)
    .split(/[,\r\n]/)
    .map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ''))];
}

export function oneOf(env: Env, name: string, choices: readonly string[]): string {
  const text = input(env, name);
  if (choices.includes(text)) return text;
  throw invalid(
    name,
    `cannot be "${text}"`,
    `write ${choices.slice(0, -1).join(', ')} or ${String(choices.at(-1))}`,
  );
}

/** Reads an input that is false by default. */
export function isOn(env: Env, name: string): boolean {
  return oneOf(env, name, ['false', 'true']) === 'true';
}

export function wholeNumber(env: Env, name: string, [least, most]: readonly [number, number]): number {
  const text = input(env, name);
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw invalid(name, `cannot be "${text}"`, `write a whole number from ${least} to ${most}`);
}

export function invalid(name: string, problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', `the input ${name} ${problem}`, { hint });
}
