/** The request for a job's OIDC token. Pure. */
import { Failure } from '../errors.ts';
import type { HttpRequest } from '../http-request.ts';
import { isPrivate } from './endpoint.ts';

/** From the environment of a job that may ask for tokens. */
export interface TokenService {
  readonly url: string;
  /** Secret. */
  readonly bearer: string;
}

/** @source GitHub Docs, "OpenID Connect reference", "Methods for requesting the OIDC token" */
export function tokenService(env: Readonly<Record<string, string | undefined>>): TokenService | undefined {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
  return url && bearer ? { url, bearer } : undefined;
}

/** @throws OIDC_REQUEST_FAILED */
export function tokenRequest(service: TokenService, audience: string): HttpRequest {
  if (!URL.canParse(service.url)) {
    throw failed('ACTIONS_ID_TOKEN_REQUEST_URL is not a URL', 'the runner sets it; nothing else should');
  }
  const url = new URL(service.url);
  if (url.protocol === 'http:' && !isPrivate(url)) {
    throw failed(
      `GitHub's token service would be asked at ${url.origin}, where the token could be read on the way`,
      'the runner sets ACTIONS_ID_TOKEN_REQUEST_URL, and nothing else should; it has to begin with https',
    );
  }
  url.searchParams.set('audience', audience);
  const headers = { authorization: `bearer ${service.bearer}`, accept: 'application/json' };
  return { url, headers };
}

/** For a request for a token. */
export function failed(what: string, hint: string): Failure {
  return new Failure('OIDC_REQUEST_FAILED', what, { hint });
}
