/** The inputs of action.yml: strings → one readonly record, or INPUT_INVALID naming the input. Pure. */
import { Failure } from '../errors.ts';
import { parseKeyLines, type KeyLine } from '../keys/key-line.ts';
import { parseLifetime } from '../keys/lifetime.ts';
import { sessionNameOf } from './session-name.ts';

export interface Inputs {
  readonly keys: readonly KeyLine[];
  /** Absent: the key's own, or the machine's. */
  readonly region: string | undefined;
  /** Absent: the default credential chain. */
  readonly role: RoleInputs | undefined;
  /** Lines in known_hosts form. */
  readonly knownHosts: string;
  readonly strictHostKeyChecking: string;
  /** Seconds; 0 for no limit. */
  readonly keyLifetime: number;
  readonly maxAttempts: number;
  readonly timeoutSeconds: number;
  /** Whether the agent uses each key for the hosts of its repositories only. */
  readonly restrictToHosts: boolean;
  /** Whether commits and tags of the job are signed with the first key. */
  readonly gitSigning: boolean;
  /** Whether the step summary gets a table. */
  readonly summary: boolean;
}

export interface RoleInputs {
  readonly arn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly audience: string;
  readonly narrow: boolean;
}

export type Env = Readonly<Record<string, string | undefined>>;

/** Those of action.yml. */
export const defaults: Readonly<Record<string, string>> = {
  'role-duration-seconds': '900',
  'session-policy': 'auto',
  'strict-host-key-checking': 'yes',
  'key-lifetime': '6h',
  'max-attempts': '5',
  'timeout-seconds': '120',
  'restrict-to-hosts': 'false',
  'git-signing': 'false',
  summary: 'true',
};

/** What configure-aws-credentials calls otherwise. */
const otherNames = {
  'inline-session-policy': 'session-policy',
  'retry-max-attempts': 'max-attempts',
  'action-timeout-s': 'timeout-seconds',
} as const;

/** Promised by the documentation of versions to come; passed over, a guard would be one in name only. */
const notYet = ['allowed-account-ids', 'role-external-id', 'ssh-config'];

/**
 * @param env of the step: `INPUT_…` holds the inputs, which the runner has given action.yml's defaults
 * @throws INPUT_INVALID
 */
export function parseInputs(env: Env): Inputs {
  for (const [name, ours] of Object.entries(otherNames)) {
    if (input(env, name)) throw invalid(name, 'is not an input of this action', `write ${ours}`);
  }
  for (const name of notYet) {
    if (!['', 'false'].includes(input(env, name))) {
      throw invalid(name, 'is not supported by this version of the action', 'leave it out');
    }
  }
  const role = parseRole(env);
  const keys = parseKeyLines(input(env, 'keys'));
  if (keys.length === 0 && !role) {
    throw invalid(
      'keys',
      'names no key',
      'write the name of a parameter on each line, for example /ci/deploy-key',
    );
  }
  const strictHostKeyChecking = oneOf(env, 'strict-host-key-checking', ['yes', 'accept-new', 'no']);
  const restrictToHosts = oneOf(env, 'restrict-to-hosts', ['false', 'true']) === 'true';
  if (restrictToHosts && strictHostKeyChecking !== 'yes') {
    const problem = `cannot hold with strict-host-key-checking: ${strictHostKeyChecking}`;
    throw invalid(
      'restrict-to-hosts',
      problem,
      'write strict-host-key-checking: yes, or leave one of them out',
    );
  }
  const gitSigning = oneOf(env, 'git-signing', ['false', 'true']) === 'true';
  if (gitSigning && keys.length === 0) {
    throw invalid(
      'git-signing',
      'has no key to sign with',
      'write its name in keys, or leave git-signing out',
    );
  }
  if (gitSigning && restrictToHosts) {
    const problem = 'cannot hold together with git-signing: a key that is for hosts only does not sign';
    throw invalid('restrict-to-hosts', problem, 'leave one of them out, or use the action twice');
  }
  return {
    keys,
    role,
    region: parseRegion(env),
    knownHosts: input(env, 'known-hosts'),
    strictHostKeyChecking,
    keyLifetime: parseKeyLifetime(env),
    maxAttempts: wholeNumber(env, 'max-attempts', [1, 100]),
    timeoutSeconds: wholeNumber(env, 'timeout-seconds', [1, 3600]),
    gitSigning,
    restrictToHosts,
    summary: oneOf(env, 'summary', ['true', 'false']) === 'true',
  };
}

function parseRole(env: Env): RoleInputs | undefined {
  const arn = input(env, 'role-to-assume');
  const policy = oneOf(env, 'session-policy', ['auto', 'none']);
  const durationSeconds = wholeNumber(env, 'role-duration-seconds', [900, 43_200]);
  const sessionName = parseSessionName(env);
  if (arn === '') return undefined;
  if (/\s|,/.test(arn)) throw invalid('role-to-assume', 'names more than one role', 'write one role ARN');
  const [, partition] = /^arn:(aws[a-z-]*):iam::\d{12}:role\/[\w+=,.@/-]+$/.exec(arn) ?? [];
  if (!partition) {
    throw invalid(
      'role-to-assume',
      `is not the ARN of a role: "${arn}"`,
      'write arn:aws:iam::ACCOUNT:role/NAME',
    );
  }
  const standard = partition === 'aws-cn' ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com';
  return {
    arn,
    sessionName,
    durationSeconds,
    audience: input(env, 'audience') || standard,
    narrow: policy === 'auto',
  };
}

function parseSessionName(env: Env): string {
  const name = input(env, 'role-session-name') || sessionNameOf(env);
  if (/^[\w+=,.@-]{2,64}$/.test(name)) return name;
  throw invalid('role-session-name', 'is not a session name', 'write 2 to 64 letters, digits and _+=,.@-');
}

function parseRegion(env: Env): string | undefined {
  const sources = { 'the input aws-region': input(env, 'aws-region'), ...regionVariables(env) };
  const [name, region] = Object.entries(sources).find(([, value]) => value) ?? [];
  if (name === undefined || region === undefined) return undefined;
  if (/^[a-z]{2,}(-[a-z0-9]+)+$/.test(region)) return region;
  const hint = 'write one, for example eu-west-1';
  throw new Failure('INPUT_INVALID', `${name} is not a region: "${region}"`, { hint });
}

function regionVariables(env: Env): Record<string, string | undefined> {
  return { AWS_REGION: env['AWS_REGION'], AWS_DEFAULT_REGION: env['AWS_DEFAULT_REGION'] };
}

function parseKeyLifetime(env: Env): number {
  const text = input(env, 'key-lifetime');
  const seconds = parseLifetime(text);
  if (seconds !== undefined) return seconds;
  throw invalid('key-lifetime', `is not a duration: "${text}"`, 'write 90s, 15m, 6h, or 0 for no limit');
}

function oneOf(env: Env, name: string, choices: readonly string[]): string {
  const text = input(env, name);
  if (choices.includes(text)) return text;
  throw invalid(
    name,
    `cannot be "${text}"`,
    `write ${choices.slice(0, -1).join(', ')} or ${String(choices.at(-1))}`,
  );
}

function wholeNumber(env: Env, name: string, [least, most]: readonly [number, number]): number {
  const text = input(env, name);
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw invalid(name, `cannot be "${text}"`, `write a whole number from ${least} to ${most}`);
}

/**
 * As @actions/core reads it: hyphens stay, white space around goes. An input that is set to nothing, as one that a
 * reusable workflow passes on may be, is as good as not set.
 */
function input(env: Env, name: string): string {
  return (env[`INPUT_${name.toUpperCase()}`] ?? '').trim() || (defaults[name] ?? '');
}

function invalid(name: string, problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', `the input ${name} ${problem}`, { hint });
}
