/** The API that registers keys: the token from AWS, and the repository on GitHub or GitLab. */
import { setTimeout } from 'node:timers/promises';
import { readNamedCredential } from '../../src/git/named-credential.ts';
import { isGitHubApp, parseGitHubApp, type GitHubApp, type SignInKms } from '../../src/github/app.ts';
import { gitHubDeployKeys } from '../../src/github/deploy-keys.ts';
import { installationToken } from '../../src/github/installation-token.ts';
import { gitLabDeployKeys } from '../../src/gitlab/deploy-keys.ts';
import type { DeployKeys } from '../../src/keys/deploy-key.ts';
import { Failure } from '../../src/errors.ts';
import type { Running } from '../command-line/command.ts';
import type { ApiHost } from './plan.ts';

const maxAttempts = 3;
const publicApi = { github: 'https://api.github.com', gitlab: 'https://gitlab.com/api/v4' } as const;

export interface ApiAccess extends Pick<Running, 'env' | 'signal'> {
  /** For a GitHub App whose key is in KMS. */
  readonly signInKms: SignInKms;
}

/**
 * @param stored the text of the token's parameter or secret; secret
 * @throws CREDENTIAL_INVALID, PROVIDER_FAILED, NETWORK_UNREACHABLE, TIMEOUT
 */
export async function openHost(
  { kind, repository, apiUrl: given, token: reference }: ApiHost,
  stored: string,
  { env, signal, signInKms }: ApiAccess,
): Promise<DeployKeys> {
  const tokenName = reference.text;
  const sleep = (milliseconds: number): Promise<void> => setTimeout(milliseconds, undefined, { signal });
  const options = { env, signal, maxAttempts, sleep };
  if (!isGitHubApp(stored)) {
    const token = tokenOf(stored, tokenName);
    const target = { apiUrl: given ?? publicApi[kind], token, tokenName };
    return kind === 'github'
      ? gitHubDeployKeys({ ...target, repository }, options)
      : gitLabDeployKeys({ ...target, project: repository }, options);
  }
  if (kind === 'gitlab') {
    throw new Failure('CREDENTIAL_INVALID', `${tokenName} is a GitHub App, and the project is on GitLab`, {
      hint: 'store a token of GitLab with the scope "api", and name it with --token',
    });
  }
  const app = parseGitHubApp(stored, tokenName);
  const apiUrl = given ?? app.apiUrl;
  // Whatever the App may do, this token may manage deploy keys, which are part of the settings of a repository.
  const narrow = { ...onlyFor(app, repository), apiUrl, permissions: { administration: 'write' } };
  const repositories = [repository];
  const asking = installationToken(narrow, { ...options, signInKms, repositories, clock: Date.now });
  const { password: token } = await asking.catch((error: unknown) => {
    throw namePermission(error);
  });
  return gitHubDeployKeys({ repository, apiUrl, token, tokenName }, options);
}

/** The App without its other repositories: a token is for all that it names. */
function onlyFor(app: GitHubApp, repository: string): GitHubApp {
  if (!app.repositories) return app;
  const bare = (one: string): string => one.slice(one.lastIndexOf('/') + 1).toLowerCase();
  return { ...app, repositories: app.repositories.filter((one) => bare(one) === bare(repository)) };
}

/** GitHub answers 422 if the App does not have a permission, and does not say which. */
function namePermission(error: unknown): unknown {
  if (!(error instanceof Failure) || !/answered 422/.test(error.message)) return error;
  const hint =
    'give the App the permission "Administration" with write access, which the owner has to accept, and access to the repository';
  return new Failure(error.code, error.message, { hint, cause: error });
}

function tokenOf(stored: string, resource: string): string {
  const { password } = readNamedCredential({ text: stored.trim(), resource }, Date.now() / 1000);
  // It becomes a header's value.
  if (password !== undefined && /^[\x21-\x7e]+$/.test(password)) return password;
  throw new Failure('CREDENTIAL_INVALID', `${resource} is not a token`, {
    hint: 'store only the token, or {"password": "TOKEN"}',
  });
}
