/** One input of action.yml, as the runner hands it over. Pure. */
import { Failure } from '../errors.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Those of action.yml. */
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
 * As @actions/core reads it: hyphens stay, white space around goes. An input that is set to nothing, as one that a
 * reusable workflow passes on may be, is as good as not set.
 */
export function input(env: Env, name: string): string {
  return (env[`INPUT_${name.toUpperCase()}`] ?? '').trim() || (defaults[name] ?? '');
}

/** As `input`, for what is read line by line: blank lines in front are kept, since errors name a line by its number. */
export function lines(env: Env, name: string): string {
  return (env[`INPUT_${name.toUpperCase()}`] ?? '').trimEnd();
}

/** What stands between commas or on lines of its own, each thing once. */
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

/** Of an input that is off by default. */
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
