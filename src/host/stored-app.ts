/** A GitHub App as it is stored, opened and masked. */
import { parseGitHubApp, type GitHubApp } from '../github/app.ts';
import type { AppLine } from '../keys/app-line.ts';
import { linesToMask } from '../keys/private-key.ts';
import type { Secret } from '../secrets/source.ts';
import type { Voice } from './read-secrets.ts';
import { stored, warnOfPlainText } from './open-key.ts';

export interface StoredApp {
  readonly app: GitHubApp;
  readonly secret: Secret;
}

/** @throws CREDENTIAL_INVALID */
export function openApp(
  { reference }: AppLine,
  secrets: readonly Secret[],
  voice: Pick<Voice, 'mask' | 'warn'>,
): StoredApp {
  const secret = stored(reference, secrets);
  for (const masked of linesToMask(secret.text)) voice.mask(masked);
  const app = parseGitHubApp(secret.text, reference.text);
  warnOfPlainText(secret, voice);
  return { app, secret };
}
