/**
 * Repository patterns, `host[:port][/path]`, and the match of a repository with its key. helper/ssm-ssh has the same
 * rules. Pure.
 */
import { Failure } from '../errors.ts';
import { withoutEnds } from './ends.ts';
import { looksSecret } from './secret-text.ts';

export interface RepositoryPattern {
  /** Lower case. `*.example.com` matches exactly one label before the domain. */
  readonly host: string;
  /** Absent: the protocol's port. */
  readonly port?: number;
  /** Lower case, whole segments, without `.git`; empty for every repository of the host. */
  readonly path: string;
}

const hostName = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;
/** RFC 1035, section 2.3.4. */
const longestLabel = 63;
/** A label that `*.` matches. It has no character that can end a host's name elsewhere, as in `evil/.example.com`. */
const hostLabel = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/;
const addressV6 = /^\[[0-9a-f:.]+\]$/;

/**
 * Accepts pasted URLs: removes the scheme, the user, and `.git` or `/*` at the end, and decodes `%20`.
 * `git@host:owner/repo` becomes host and path.
 *
 * @throws INPUT_INVALID
 */
export function parseRepositoryPattern(text: string): RepositoryPattern {
  const pattern = parsePattern(lowerCase(text), text);
  return { ...pattern, path: lowerCase(pattern.path) };
}

/** The same with the path as written, for git's configuration, which is case-sensitive. */
export function parseWrittenPattern(text: string): RepositoryPattern {
  return parsePattern(text, text);
}

/** @param text for messages */
function parsePattern(read: string, text: string): RepositoryPattern {
  const [, scheme = '', user = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?([^/@]*@)?(.*)$/i.exec(read) ?? [];
  const [, name = '', separator = '', behind = ''] = /^(\[[^\]]*\]|[^/:]*)([:/]?)(.*)$/.exec(rest) ?? [];
  const host = lowerCase(name);
  const isName = hostName.test(host) && host.split('.').every((label) => label.length <= longestLabel);
  // Only an address in brackets can have text behind it without a separator.
  const isWhole = separator !== '' || behind === '';
  if ((!isName && !addressV6.test(host)) || !isWhole || looksSecret(name)) {
    throw invalid(
      text,
      'does not begin with a host',
      'write host/owner/repository, for example github.com/acme/lib',
    );
  }
  const bare = host.replace(/^\[|\]$/g, '');
  const [, port = '', path = ''] =
    separator === ':' ? (/^(\d+)(?:\/(.*))?$/.exec(behind) ?? []) : [undefined, '', behind];
  if (separator === ':' && !port) {
    // The scp form, `git@host:owner/repo`, has a path after the colon.
    if (scheme || !user)
      throw invalid(text, 'has no port after its colon', 'write host:port/path, or host/path');
    return { host: bare, path: cleanPath(behind, text) };
  }
  const decoded = scheme ? decode(path) : path;
  if (!port) return { host: bare, path: cleanPath(decoded, text) };
  if (Number(port) < 1 || Number(port) > 65_535)
    throw invalid(text, 'has a port out of range', 'ports are 1 to 65535');
  return { host: bare, port: Number(port), path: cleanPath(decoded, text) };
}

/** Decodes a URL's path like git. Control characters and invalid UTF-8 stay encoded. */
function decode(path: string): string {
  return path.replace(/(%[2-9a-f][\da-f])+/gi, (octets) => {
    const text = Buffer.from(octets.replaceAll('%', ''), 'hex').toString();
    return /[\p{Cc}\ufffd]/u.test(text) ? octets : text;
  });
}

/** ASCII letters only, as in helper/ssm-ssh: case rules for other letters depend on the host. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The pattern in the form that users write. */
export function patternText({ host, port, path }: RepositoryPattern): string {
  const address = host.includes(':') ? `[${host}]` : host;
  // Of a name that ends in .git, only the second .git would be removed again.
  const name = path.endsWith('.git') ? `${path}.git` : path;
  return address + (port === undefined ? '' : `:${port}`) + (name && `/${name}`);
}

/** The destination of a connection, from the arguments that git gives to ssh. */
export interface Remote {
  readonly host: string;
  /** Absent: the protocol's port. */
  readonly port?: number;
  /** Without a slash at its start; empty without a repository, as in `ssh -T git@github.com`. */
  readonly path: string;
}

export interface Route<K> {
  readonly key: K;
  /** Empty: a default key. */
  readonly repositories: readonly RepositoryPattern[];
}

/**
 * The keys with the most specific matching pattern: an exact host before a wildcard, then the longest path. Several
 * keys if they have the same pattern. The default keys if no pattern matches.
 *
 * @param port of the protocol
 */
export function matchRoutes<K>(routes: readonly Route<K>[], remote: Remote, port: number): K[] {
  const ranked = routes.flatMap(({ key, repositories }) =>
    repositories
      .filter((pattern) => matches(pattern, remote, port))
      .map((pattern) => ({ key, rank: rankOf(pattern) })),
  );
  const best = Math.max(-1, ...ranked.map(({ rank }) => rank));
  if (best >= 0) return [...new Set(ranked.filter(({ rank }) => rank === best).map(({ key }) => key))];
  if (isEc2Host(remote.host)) return [];
  return routes.filter(({ repositories }) => repositories.length === 0).map(({ key }) => key);
}

function matches(pattern: RepositoryPattern, remote: Remote, port: number): boolean {
  const host = lowerCase(remote.host);
  const path = withoutEnds(lowerCase(remote.path), '/').replace(/\.git$/, '');
  const [, label = '', domain = ''] = /^([^.]*)\.(.*)$/.exec(host) ?? [];
  const sameHost = pattern.host.startsWith('*.')
    ? hostLabel.test(label) && domain === pattern.host.slice(2)
    : host === pattern.host;
  const samePath = pattern.path === '' || path === pattern.path || path.startsWith(`${pattern.path}/`);
  return sameHost && samePath && (pattern.port ?? port) === (remote.port ?? port);
}

/** An instance id, the id of a managed node, or TAG=VALUE. Default keys never serve these. */
function isEc2Host(host: string): boolean {
  return /^(i-([0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17})$/i.test(host) || host.includes('=');
}

/** An exact host ranks higher than every path of a wildcard host. */
function rankOf({ host, path }: RepositoryPattern): number {
  return path.length + (host.startsWith('*.') ? 0 : 100_000);
}

export interface RoutedKey {
  readonly fingerprint: string;
  readonly repositories: readonly RepositoryPattern[];
}

/** One text for all patterns that match the same connections of ssh: no port means 22. */
export function samePattern({ host, port, path }: RepositoryPattern): string {
  return patternText({ host, path, ...(port !== undefined && port !== sshPort && { port }) });
}

const sshPort = 22;

/** Pattern (empty for the default keys) → the fingerprints of its keys. */
export function claims(keys: readonly RoutedKey[]): Map<string, Set<string>> {
  const claimed = new Map<string, Set<string>>();
  for (const { repositories, fingerprint } of keys) {
    const patterns = repositories.length > 0 ? repositories.map(samePattern) : [''];
    for (const pattern of patterns)
      claimed.set(pattern, (claimed.get(pattern) ?? new Set()).add(fingerprint));
  }
  return claimed;
}

/**
 * The routes file of helper/ssm-ssh: `NUMBER FINGERPRINT HOST PORT PATH` for each pattern, `NUMBER FINGERPRINT -` for a
 * default key.
 */
export function renderRoutes(keys: readonly RoutedKey[]): string {
  const lines = keys.flatMap(({ fingerprint, repositories }, number) =>
    repositories.length === 0
      ? [`${number} ${fingerprint} -`]
      : repositories.map(
          ({ host, port = sshPort, path }) => `${number} ${fingerprint} ${host} ${port} ${path}`,
        ),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** The hosts and ports in the text of renderRoutes. */
export function readClaims(routes: string): { readonly host: string; readonly port: number }[] {
  return [...routes.matchAll(/^\d+ \S+ (\S+) (\d+) /gm)].map(([, host = '', port]) => ({
    host,
    port: Number(port),
  }));
}

function cleanPath(path: string, text: string): string {
  const clean = withoutEnds(path, '/')
    .replace(/\.git$/i, '')
    .replace(/(^|\/)\*$/, '');
  if (clean.includes('*'))
    throw invalid(text, 'has a * inside its path', 'a * is only allowed as the last part: host/owner/*');
  if (/(^|\/)\.git\/*$/i.test(path) || (clean.split('/').includes('') && clean !== ''))
    throw invalid(text, 'has an empty part between slashes', 'write host/owner/repository');
  return clean;
}

function invalid(text: string, problem: string, hint: string): Failure {
  // A pasted URL may contain a password.
  const shown = text.replace(/(:\/\/[^/@:]*):[^/]*@/, '$1@');
  return new Failure('INPUT_INVALID', `the repository "${shown}" ${problem}`, { hint });
}
