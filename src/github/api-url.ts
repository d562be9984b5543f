/** Checks the address of GitHub's API and finds its host. Pure. */
import { withoutEnd } from '../keys/ends.ts';

/**
 * The git host of an API's address, if the address tells it.
 *
 * @source GitHub Docs: api.github.com is the API of github.com, api.NAME.ghe.com of NAME.ghe.com; a GitHub Enterprise
 *   Server has it at HOST/api/v3, or at a proxy's address
 */
export function hostOfApi(apiUrl: string): string | undefined {
  return /^api\.(github\.com|[^.]+\.ghe\.com)$/.exec(new URL(apiUrl).hostname)?.[1];
}

/** Whether it is this machine itself. */
export function isLocal(hostname: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
}

/** Plain HTTP would show the token to the network. It is only allowed to this machine itself. */
export function secureUrl(member: unknown): string | undefined {
  if (typeof member !== 'string' || !URL.canParse(member)) return undefined;
  const { protocol, hostname, username, password, origin, pathname, search, hash } = new URL(member);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal(hostname))) return undefined;
  return username || password || search || hash ? undefined : withoutEnd(origin + pathname, '/');
}
