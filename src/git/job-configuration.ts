/** git's configuration for the steps of a job, in environment variables only. Pure. */
import { authorizedKeysLine, type PublicKey } from '../keys/public-key.ts';

/** The name and value of a setting. git reads them in order. */
export type Entry = readonly [name: string, value: string];

/** Adds to the existing variables. @source git-config(1), GIT_CONFIG_COUNT in git(1) */
export function configurationVariables(
  env: Readonly<Record<string, string | undefined>>,
  entries: readonly Entry[],
): Record<string, string> {
  if (entries.length === 0) return {};
  const there = count(env);
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(there + entries.length) };
  for (const [index, [key, value]] of entries.entries()) {
    variables[`GIT_CONFIG_KEY_${there + index}`] = key;
    variables[`GIT_CONFIG_VALUE_${there + index}`] = value;
  }
  return variables;
}

/** The settings that `env` has, in git's order. */
export function configurationOf(env: Readonly<Record<string, string | undefined>>): Entry[] {
  return Array.from({ length: count(env) }, (_, index) => [
    env[`GIT_CONFIG_KEY_${index}`] ?? '',
    env[`GIT_CONFIG_VALUE_${index}`] ?? '',
  ]);
}

/** git refuses other texts. */
function count(env: Readonly<Record<string, string | undefined>>): number {
  return Number(/^\d{1,4}$/.exec(env['GIT_CONFIG_COUNT'] ?? '')?.[0] ?? 0);
}

/** The settings for SSH signatures of commits and tags. */
export function signingEntries(files: {
  readonly publicKey: string;
  readonly allowedSigners: string;
  readonly program: string;
}): Entry[] {
  return [
    ['gpg.format', 'ssh'],
    ['gpg.ssh.program', files.program],
    ['user.signingKey', files.publicKey],
    ['commit.gpgSign', 'true'],
    ['tag.gpgSign', 'true'],
    ['gpg.ssh.allowedSignersFile', files.allowedSigners],
  ];
}

/**
 * One line of gpg.ssh.allowedSignersFile: the key is valid for every name, for git only (ssh-keygen(1), ALLOWED
 * SIGNERS).
 */
export function allowedSigner(key: PublicKey): string {
  return `* namespaces="git" ${authorizedKeysLine({ ...key, comment: '' })}\n`;
}
