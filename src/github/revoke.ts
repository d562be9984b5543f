/** Ends an installation token before its time. */
import { Failure } from '../errors.ts';
import { callApi, longestAnswer, saidBy, type ApiOptions } from './api.ts';

/**
 * One that has expired, or was revoked before, is as good as revoked.
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
    hint: 'it ends by itself, an hour after it was made',
  });
}
