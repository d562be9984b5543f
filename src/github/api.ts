/** Calls GitHub's API with its headers, and revokes its tokens. */
import { Failure } from '../errors.ts';
import { callHttpApi, saidBy, type ApiOptions } from '../http-api.ts';
import type { HttpAnswer, HttpRequest } from '../http-request.ts';

export { readObject, saidBy, type ApiOptions } from '../http-api.ts';

export interface Call {
  readonly method: NonNullable<HttpRequest['method']>;
  /** The API's address, without a slash at its end. */
  readonly apiUrl: string;
  readonly path: string;
  /** Secret. */
  readonly bearer: string;
  readonly body?: unknown;
  /** Limit of the answer. */
  readonly maxBytes: number;
}

/** Bytes. A longer answer is not GitHub's. */
export const longestAnswer = { usual: 1_000_000, token: 65_536 } as const;

/** For an answer 3xx about a repository. A redirect is not followed: it would take the token along. */
export function movedHint(repository: string, apiUrl: string): string {
  return `write the present name of the repository: ${repository} was renamed or moved, unless ${apiUrl} is not GitHub's API`;
}

/**
 * Returns GitHub's last answer, even 404 or 500.
 *
 * @throws NETWORK_UNREACHABLE, TIMEOUT
 */
export async function callApi(
  { apiUrl, path, bearer, ...call }: Call,
  options: ApiOptions,
): Promise<HttpAnswer> {
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${bearer}`,
    'user-agent': 'ssm-ssh-agent',
    'x-github-api-version': '2022-11-28',
  };
  return await callHttpApi({ ...call, product: 'GitHub', url: new URL(apiUrl + path), headers }, options);
}

/**
 * Revokes an installation token. A token that has expired or is already revoked counts as success.
 *
 * @param token secret
 * @throws PROVIDER_FAILED, NETWORK_UNREACHABLE, TIMEOUT
 */
export async function revokeToken(token: string, apiUrl: string, options: ApiOptions): Promise<void> {
  const call = { method: 'DELETE', apiUrl, path: '/installation/token', bearer: token } as const;
  const answer = await callApi({ ...call, maxBytes: longestAnswer.usual }, options);
  if (answer.status === 204 || answer.status === 401) return;
  const { host } = new URL(apiUrl);
  throw new Failure('PROVIDER_FAILED', `${host} did not revoke the token: it answered ${saidBy(answer)}`, {
    hint: 'it expires one hour after it was created',
  });
}
