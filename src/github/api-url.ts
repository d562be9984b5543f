/** The address of GitHub's API: which may be called, and whose it is. Pure. */

/**
 * The host whose repositories the App's tokens open, where the API's address says so.
 *
 * @source GitHub Docs: api.github.com is github.com's, api.NAME.ghe.com is NAME.ghe.com's; a server of one's own has its
 * API at HOST/api/v3, or wherever a proxy puts it
 */
export function hostOfApi(apiUrl: string): string | undefined {
  return /^api\.(github\.com|[^.]+\.ghe\.com)$/.exec(new URL(apiUrl).hostname)?.[1];
}

/** Whether it is this machine itself. */
export function isLocal(hostname: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
}

/** Plain HTTP would show the token to everyone on the way; to this machine itself there is no way. */
export function secureUrl(member: unknown): string | undefined {
  if (typeof member !== 'string' || !URL.canParse(member)) return undefined;
  const { protocol, hostname, username, password, origin, pathname, search, hash } = new URL(member);
  if (protocol !== 'https:' && !(protocol === 'http:' && isLocal(hostname))) return undefined;
  return username || password || search || hash ? undefined : (origin + pathname).replace(/\/+$/, '');
}
