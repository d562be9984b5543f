/** The inputs of action.yml: strings → one readonly record, or INPUT_INVALID naming the input. Pure. */
import type { AppLine } from '../keys/app-line.ts';
import { parseLines, type KeyLine } from '../keys/key-line.ts';
import { parseLifetime } from '../keys/lifetime.ts';
import { refuseForeignInputs } from './foreign-inputs.ts';
import { input, invalid, isOn, lines, list, oneOf, wholeNumber, type Env } from './input.ts';
import type { Role } from '../aws/caller.ts';
import { parseRegions } from './region-inputs.ts';
import { parseRole } from './role-inputs.ts';

export type { Env } from './input.ts';

export interface Inputs {
  readonly keys: readonly KeyLine[];
  /** The lines with `as=github-app`. */
  readonly apps: readonly AppLine[];
  /** Whether an agent is needed. */
  readonly withAgent: boolean;
  /** Whether git uses our ssh. A job that has only tokens for HTTPS needs no OpenSSH. */
  readonly withSsh: boolean;
  /** In order of preference. Empty: the Region of the key's ARN, or of the machine. */
  readonly regions: readonly string[];
  /** Absent: the default credential chain. */
  readonly role: Role | undefined;
  /** Whether valid credentials in the environment are used instead of the role. */
  readonly useExisting: boolean;
  /** Empty: credentials of any account are accepted. */
  readonly allowedAccounts: readonly string[];
  /** Lines as in known_hosts. */
  readonly knownHosts: string;
  readonly strictHostKeyChecking: string;
  /** Seconds; 0 for no limit. */
  readonly keyLifetime: number;
  readonly maxAttempts: number;
  readonly timeoutSeconds: number;
  /** Whether the agent uses each key only for the hosts of its repositories. */
  readonly restrictToHosts: boolean;
  /** Whether commits and tags of the job are signed with the first key. */
  readonly gitSigning: boolean;
  /** Whether ~/.ssh/config tells plain ssh which key to use, by host. */
  readonly sshConfig: boolean;
  /** Whether the step summary gets a table. */
  readonly summary: boolean;
}

/**
 * @param env of the step: the inputs are in `INPUT_…`, with the defaults of action.yml
 * @throws INPUT_INVALID
 */
export function parseInputs(env: Env): Inputs {
  refuseForeignInputs(env);
  // Only checked here: main has read it before the first message (action/masked-accounts.ts).
  isOn(env, 'mask-aws-account-id');
  const role = parseRole(env);
  const { keys, apps } = parseLines(lines(env, 'keys'));
  if (keys.length === 0 && apps.length === 0 && !role) {
    const joined = input(env, 'keys').startsWith('#')
      ? ' (behind "keys: >" YAML joins all lines to one comment: write "keys: |")'
      : '';
    throw invalid(
      'keys',
      'names no key',
      `write the name of a parameter on each line, for example /ci/deploy-key${joined}; a job that only reaches EC2 hosts names role-to-assume instead`,
    );
  }
  const strictHostKeyChecking = oneOf(env, 'strict-host-key-checking', ['yes', 'accept-new', 'no']);
  const restrictToHosts = isOn(env, 'restrict-to-hosts');
  if (restrictToHosts && strictHostKeyChecking !== 'yes') {
    const problem = `does not work with strict-host-key-checking: ${strictHostKeyChecking}`;
    throw invalid(
      'restrict-to-hosts',
      problem,
      'write strict-host-key-checking: yes, or leave one of them out',
    );
  }
  const gitSigning = isOn(env, 'git-signing');
  if (gitSigning && keys.length === 0) {
    throw invalid(
      'git-signing',
      'has no key to sign with',
      'write its name in keys, or leave git-signing out',
    );
  }
  if (gitSigning && keys[0]?.signing?.certificate) {
    throw invalid(
      'git-signing',
      `signs with the first key, and ${keys[0].reference.text} has a certificate (ca=)`,
      'write a key without ca= first: a stored key, or a key in KMS',
    );
  }
  // Of a key in KMS our agent knows the hosts, and signs for git, too.
  if (gitSigning && restrictToHosts && !keys[0]?.signing) {
    const problem = 'does not work together with git-signing: a key that is restricted to hosts cannot sign';
    const hint = 'leave one of them out, write a key in KMS first, or use the action twice';
    throw invalid('restrict-to-hosts', problem, hint);
  }
  const sshConfig = isOn(env, 'ssh-config');
  // Without a key, ssh-config is still useful for EC2 hosts; restrict-to-hosts is not.
  const needingKeys = { 'restrict-to-hosts': restrictToHosts, 'ssh-config': sshConfig && !role };
  for (const [name, on] of Object.entries(needingKeys)) {
    if (!on || keys.length > 0) continue;
    const named = apps.length > 0 ? 'as=github-app alone' : 'none';
    const hint =
      'leave it out, or name an SSH key in keys: git sends a token to the hosts of its repositories only';
    throw invalid(name, `needs an SSH key, and keys names ${named}`, hint);
  }
  return {
    ...{ keys, apps, role },
    withAgent: keys.length > 0,
    withSsh: keys.length > 0 || apps.length === 0,
    useExisting: isOn(env, 'use-existing-credentials'),
    allowedAccounts: parseAccounts(env),
    regions: parseRegions(env, { keys, apps }),
    knownHosts: lines(env, 'known-hosts'),
    strictHostKeyChecking,
    keyLifetime: parseKeyLifetime(env),
    maxAttempts: wholeNumber(env, 'max-attempts', [1, 100]),
    timeoutSeconds: wholeNumber(env, 'timeout-seconds', [1, 3600]),
    gitSigning,
    restrictToHosts,
    sshConfig,
    summary: oneOf(env, 'summary', ['true', 'false']) === 'true',
  };
}

function parseAccounts(env: Env): string[] {
  const accounts = list(env, 'allowed-account-ids');
  const wrong = accounts.find((account) => !/^\d{12}$/.test(account));
  if (wrong === undefined && (accounts.length > 0 || input(env, 'allowed-account-ids') === ''))
    return accounts;
  throw invalid(
    'allowed-account-ids',
    `has a value that is not an account id: "${wrong ?? input(env, 'allowed-account-ids')}"`,
    'write ids of 12 digits, in quotes where YAML would drop a first 0, with commas between them',
  );
}

function parseKeyLifetime(env: Env): number {
  const text = input(env, 'key-lifetime');
  const seconds = parseLifetime(text);
  if (seconds !== undefined) return seconds;
  throw invalid('key-lifetime', `is not a duration: "${text}"`, 'write 90s, 15m, 6h, or 0 for no limit');
}
