/** git's configuration for the steps of a job, by environment variables and by nothing else. Pure. */
import { authorizedKeysLine, type PublicKey } from '../keys/public-key.ts';

/** A variable of git's and its value; git reads them in order. */
export type Entry = readonly [name: string, value: string];

/** @source git-config(1), GIT_CONFIG_COUNT in git(1): added to what is there, in the order of the numbers */
export function configurationVariables(
  env: Readonly<Record<string, string | undefined>>,
  entries: readonly Entry[],
): Record<string, string> {
  if (entries.length === 0) return {};
  const there = Number(/^\d{1,4}$/.exec(env['GIT_CONFIG_COUNT'] ?? '')?.[0] ?? 0);
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(there + entries.length) };
  for (const [index, [key, value]] of entries.entries()) {
    variables[`GIT_CONFIG_KEY_${there + index}`] = key;
    variables[`GIT_CONFIG_VALUE_${there + index}`] = value;
  }
  return variables;
}

/** What git needs to sign commits and tags by SSH. */
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

/** One line of gpg.ssh.allowedSignersFile: this key vouches for anyone, in git only (ssh-keygen(1), ALLOWED SIGNERS). */
export function allowedSigner(key: PublicKey): string {
  return `* namespaces="git" ${authorizedKeysLine({ ...key, comment: '' })}\n`;
}
