/** Signing commits and tags by SSH: what git needs for it, given by environment variables and by nothing else. */
import { Failure } from '../errors.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { authorizedKeysLine } from '../keys/public-key.ts';
import { ProgramNotFound, run } from '../process/run.ts';

/** @source git-config(1), GIT_CONFIG_COUNT in git(1): added to what is there, in the order of the numbers */
export function signingVariables(
  env: Readonly<Record<string, string | undefined>>,
  files: { readonly publicKey: string; readonly allowedSigners: string; readonly program: string },
): Record<string, string> {
  const entries = [
    ['gpg.format', 'ssh'],
    ['gpg.ssh.program', files.program],
    ['user.signingKey', files.publicKey],
    ['commit.gpgSign', 'true'],
    ['tag.gpgSign', 'true'],
    ['gpg.ssh.allowedSignersFile', files.allowedSigners],
  ] as const;
  const there = Number(/^\d{1,4}$/.exec(env['GIT_CONFIG_COUNT'] ?? '')?.[0] ?? 0);
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(there + entries.length) };
  for (const [index, [key, value]] of entries.entries()) {
    variables[`GIT_CONFIG_KEY_${there + index}`] = key;
    variables[`GIT_CONFIG_VALUE_${there + index}`] = value;
  }
  return variables;
}

/** One line of gpg.ssh.allowedSignersFile: this key vouches for anyone, in git only (ssh-keygen(1), ALLOWED SIGNERS). */
export function allowedSigner(key: PublicKey): string {
  return `* namespaces="git" ${authorizedKeysLine({ ...key, comment: '' })}\n`;
}

/** The first git that signs by SSH. An older one fails at each commit over the format that it does not know. */
const firstVersion = [2, 34] as const;

/** @throws GIT_NOT_FOUND */
export async function requireSigningGit(options: {
  readonly env: { readonly PATH?: string | undefined };
  readonly signal: AbortSignal;
}): Promise<void> {
  const { env, signal } = options;
  const hint = 'install git 2.34 or newer: apt-get install git, dnf install git, or apk add git';
  try {
    const { stdout } = await run(['git', '--version'], { env: { PATH: env.PATH ?? '' }, signal });
    const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
    const [wantedMajor, wantedMinor] = firstVersion;
    if (Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor))
      return;
    throw new Failure('GIT_NOT_FOUND', `git-signing needs git 2.34, this is ${stdout.trim()}`, { hint });
  } catch (error) {
    if (!(error instanceof ProgramNotFound)) throw error;
    throw new Failure('GIT_NOT_FOUND', `git-signing needs git: ${error.message}`, { hint, cause: error });
  }
}
