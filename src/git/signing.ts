/** Signing commits and tags by SSH: what git needs for it. Pure. */
import type { PublicKey } from '../keys/public-key.ts';
import { authorizedKeysLine } from '../keys/public-key.ts';
import type { Entry } from './job-configuration.ts';

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
