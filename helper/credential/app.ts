/** A GitHub App as a git credential: creates a token for the repository that git asks for. */
import { setTimeout } from 'node:timers/promises';
import { Failure } from '../../src/errors.ts';
import { repositoryOf } from '../../src/host/credential-routes.ts';
import type { Credential } from '../../src/git/credential.ts';
import { hostOfApi } from '../../src/github/api-url.ts';
import { parseGitHubApp } from '../../src/github/app.ts';
import { hostAppSigner } from '../../src/host/app-signer.ts';
import type { Host } from '../../src/host/caller.ts';
import type { Voice } from '../../src/host/voice.ts';
import { installationToken } from '../../src/github/installation-token.ts';

export interface AppOptions {
  /** git's request. */
  readonly request: Credential;
  /** The name of the App's parameter or secret, for messages. */
  readonly resource: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** How AWS is called, for a key in KMS. */
  readonly host: Host;
  readonly voice: Voice;
}

const maxAttempts = 3;

/**
 * @param text the stored App; secret
 * @throws CREDENTIAL_INVALID, PROVIDER_FAILED, NETWORK_UNREACHABLE, TIMEOUT
 */
export async function appCredential(
  text: string,
  { request, resource, env, signal, host: place, voice }: AppOptions,
): Promise<Credential> {
  const app = parseGitHubApp(text, resource);
  const home = hostOfApi(app.apiUrl);
  const host = request.host?.toLowerCase().replace(/:443$/, '');
  if (home !== undefined && home !== host) {
    throw new Failure(
      'CREDENTIAL_INVALID',
      `the GitHub App in ${resource} is for ${home}, not for ${host ?? ''}`,
      {
        hint: `name ${home} in the section, or store the App with the "api_url" of its server, https://HOST/api/v3`,
      },
    );
  }
  const { username, password, expiresAt } = await installationToken(app, {
    ...{ env, signal, maxAttempts, clock: () => Date.now() },
    repositories: repositoriesOf(request),
    signInKms: hostAppSigner(place, { env, signal, voice }),
    sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }),
  });
  return { username, password, password_expiry_utc: String(expiresAt) };
}

/** `owner/name`; empty if git does not send the path. */
function repositoriesOf({ path = '' }: Credential): string[] {
  const [owner, name] = repositoryOf(path)
    .replace(/\.git$/, '')
    .split('/')
    .filter(Boolean);
  return owner && name ? [`${owner}/${name}`] : [];
}
