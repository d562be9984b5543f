/** Repository patterns, `host[:port][/path]`: which key is for which repository. helper/ssm-ssh has the same rules. Pure. */
import { Failure } from '../errors.ts';
import { looksSecret } from './secret-text.ts';

export interface RepositoryPattern {
  /** Lower case; `*.example.com` stands for exactly one label in front. */
  readonly host: string;
  /** Absent: the port of the protocol. */
  readonly port?: number;
  /** Lower case, whole segments, without `.git`; empty for every repository of the host. */
  readonly path: string;
}

const hostName = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;
/** RFC 1035, section 2.3.4. */
const longestLabel = 63;
/** What `*.` stands for: nothing in it ends a host's name elsewhere, as in `evil/.example.com`. */
const hostLabel = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/;
const addressV6 = /^\[[0-9a-f:.]+\]$/;

/**
 * A pasted URL works: a scheme and a user in front are dropped, as are `.git` and `/*` behind, and `%20` is a space;
 * `git@host:owner/repo` becomes host and path.
 *
 * @throws INPUT_INVALID
 */
export function parseRepositoryPattern(text: string): RepositoryPattern {
  const pattern = parsePattern(lowerCase(text), text);
  return { ...pattern, path: lowerCase(pattern.path) };
}

/** The same with the path as it is written, for git's own configuration, which tells cases apart. */
export function parseWrittenPattern(text: string): RepositoryPattern {
  return parsePattern(text, text);
}

/** @param text as messages show it */
function parsePattern(read: string, text: string): RepositoryPattern {
  const [, scheme = '', user = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?([^/@]*@)?(.*)$/i.exec(read) ?? [];
  const [, name = '', separator = '', behind = ''] = /^(\[[^\]]*\]|[^/:]*)([:/]?)(.*)$/.exec(rest) ?? [];
  const host = lowerCase(name);
  const isName = hostName.test(host) && host.split('.').every((label) => label.length <= longestLabel);
  if ((!isName && !addressV6.test(host)) || looksSecret(name)) {
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
    // The scp form, `git@host:owner/repo`, has a path behind the colon.
    if (scheme || !user)
      throw invalid(text, 'has no port behind its colon', 'write host:port/path, or host/path');
    return { host: bare, path: cleanPath(behind, text) };
  }
  const decoded = scheme ? decode(path) : path;
  if (!port) return { host: bare, path: cleanPath(decoded, text) };
  if (Number(port) < 1 || Number(port) > 65_535)
    throw invalid(text, 'has a port out of range', 'ports are 1 to 65535');
  return { host: bare, port: Number(port), path: cleanPath(decoded, text) };
}

/** As git decodes the path of a URL; what would be a control character, or no UTF-8, stays as it is. */
function decode(path: string): string {
  return path.replace(/(%[2-9a-f][\da-f])+/gi, (octets) => {
    const text = Buffer.from(octets.replaceAll('%', ''), 'hex').toString();
    return /[\p{Cc}\ufffd]/u.test(text) ? octets : text;
  });
}

/** ASCII's letters alone, as helper/ssm-ssh has it: what others are the same depends on the host. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** As a user would write it. */
export function patternText({ host, port, path }: RepositoryPattern): string {
  const address = host.includes(':') ? `[${host}]` : host;
  return address + (port === undefined ? '' : `:${port}`) + (path && `/${path}`);
}

/** Where a connection goes, as git hands it to ssh. */
export interface Remote {
  readonly host: string;
  /** Absent: the port of the protocol. */
  readonly port?: number;
  /** Without a slash in front; empty where there is no repository, as in `ssh -T git@github.com`. */
  readonly path: string;
}

export interface Route<K> {
  readonly key: K;
  /** Empty: a default key. */
  readonly repositories: readonly RepositoryPattern[];
}

/**
 * The keys whose pattern is the most specific of those that match: an exact host before a wildcard, then the longest path.
 * Several where they have the same pattern; the default keys where no pattern matches.
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
  const path = lowerCase(remote.path)
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '');
  const [, label = '', domain = ''] = /^([^.]*)\.(.*)$/.exec(host) ?? [];
  const sameHost = pattern.host.startsWith('*.')
    ? hostLabel.test(label) && domain === pattern.host.slice(2)
    : host === pattern.host;
  const samePath = pattern.path === '' || path === pattern.path || path.startsWith(`${pattern.path}/`);
  return sameHost && samePath && (pattern.port ?? port) === (remote.port ?? port);
}

/** An instance id, the id of a managed node, or TAG=VALUE: no default key is for them. */
function isEc2Host(host: string): boolean {
  return /^(i-([0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17})$/i.test(host) || host.includes('=');
}

/** No path is as long as the step from a wildcard to an exact host. */
function rankOf({ host, path }: RepositoryPattern): number {
  return path.length + (host.startsWith('*.') ? 0 : 100_000);
}

export interface RoutedKey {
  readonly fingerprint: string;
  readonly repositories: readonly RepositoryPattern[];
}

/** Pattern, empty for the default keys → the fingerprints of the keys that claim it. */
export function claims(keys: readonly RoutedKey[]): Map<string, Set<string>> {
  const claimed = new Map<string, Set<string>>();
  for (const { repositories, fingerprint } of keys) {
    const patterns = repositories.length > 0 ? repositories.map(patternText) : [''];
    for (const pattern of patterns)
      claimed.set(pattern, (claimed.get(pattern) ?? new Set()).add(fingerprint));
  }
  return claimed;
}

/** What helper/ssm-ssh reads: `NUMBER FINGERPRINT HOST PORT PATH` for each pattern, `NUMBER FINGERPRINT -` for a default key. */
export function renderRoutes(keys: readonly RoutedKey[]): string {
  const lines = keys.flatMap(({ fingerprint, repositories }, number) =>
    repositories.length === 0
      ? [`${number} ${fingerprint} -`]
      : repositories.map(({ host, port = 22, path }) => `${number} ${fingerprint} ${host} ${port} ${path}`),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** The hosts and ports that renderRoutes wrote. */
export function readClaims(routes: string): { readonly host: string; readonly port: number }[] {
  return [...routes.matchAll(/^\d+ \S+ (\S+) (\d+) /gm)].map(([, host = '', port]) => ({
    host,
    port: Number(port),
  }));
}

function cleanPath(path: string, text: string): string {
  const clean = path
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/i, '')
    .replace(/(^|\/)\*$/, '');
  if (clean.includes('*'))
    throw invalid(text, 'has a * inside its path', 'a * can stand for the last part only: host/owner/*');
  if (/(^|\/)\.git\/*$/i.test(path) || (clean.split('/').includes('') && clean !== ''))
    throw invalid(text, 'has an empty part between slashes', 'write host/owner/repository');
  return clean;
}

function invalid(text: string, problem: string, hint: string): Failure {
  // A pasted URL may carry a password.
  const shown = text.replace(/(:\/\/[^/@:]*):[^/]*@/, '$1@');
  return new Failure('INPUT_INVALID', `the repository "${shown}" ${problem}`, { hint });
}
