/** The deploy keys of a repository on GitHub. */
import { ApiDeployKeys, type Access, type HostApi } from '../deploy-keys-api.ts';
import type { HttpAnswer } from '../http-request.ts';
import type { DeployKeys } from '../keys/deploy-key.ts';
import { callApi, longestAnswer, movedHint, type ApiOptions } from './api.ts';
import { hostOfApi } from './api-url.ts';

export interface GitHubRepository extends Access {
  /** `owner/name` */
  readonly repository: string;
}

const permission =
  'the repository permission "Administration" with write access (a classic token: the scope "repo"; a GitHub App: the permission "Administration", which the owner has to accept)';

/** @source GitHub Docs, REST API endpoints for deploy keys */
export function gitHubDeployKeys(target: GitHubRepository, options: ApiOptions): DeployKeys {
  const { repository, apiUrl, token: bearer } = target;
  const host = hostOfApi(apiUrl) ?? new URL(apiUrl).hostname;
  const api: HostApi = {
    ...{ product: 'GitHub', place: `${repository} on ${host}`, permission, inUse: 422 },
    keysPath: `/repos/${repository.split('/').map(encodeURIComponent).join('/')}/keys`,
    send: (call) => callApi({ ...call, apiUrl, bearer, maxBytes: longestAnswer.usual }, options),
    url: () => Promise.resolve(`git@${host}:${repository}.git`),
    isReadOnly: ({ read_only: readOnly }) => readOnly !== false,
    accessOf: (readOnly) => ({ read_only: readOnly }),
    isLimited: ({ status, headers }) => {
      const isSaid = headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined;
      return status === 429 || (status === 403 && isSaid);
    },
    hintFor: (answer) => hintFor(answer, target),
  };
  return new ApiDeployKeys(api, target);
}

function hintFor({ status = 0, text }: HttpAnswer, { repository, apiUrl }: GitHubRepository): string {
  if (status === 404) {
    return `check the name ${repository} and --api-url (${apiUrl}), and give the token access to the repository and ${permission}`;
  }
  if (status >= 300 && status < 400) return movedHint(repository, apiUrl);
  if (status === 422 && /already in use/.test(text)) {
    return 'GitHub allows a key for one repository or user only: run rotate with --abort, then run it again for a new key';
  }
  return `check that ${apiUrl} is GitHub's API, and that the owner allows deploy keys; then run it again`;
}
