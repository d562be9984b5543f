/** The hosts of a key's repositories, as known_hosts names them, and their keys. Pure. */
import type { RepositoryPattern } from '../keys/routes.ts';
import type { Destination } from './agent-protocol.ts';
import { checkableKeysFor, matchesPattern, revokedKeysFor } from './host-keys.ts';
import { pinnedHosts } from './known-hosts.ts';

/** `[host]:port` if the port is not 22. A key without repositories is for the pinned hosts. */
export function hostNames(repositories: readonly RepositoryPattern[]): readonly string[] {
  return repositories.length > 0 ? repositories.map(hostName) : pinnedHosts.flatMap(({ names }) => names);
}

interface KnownHost extends Destination {
  readonly revoked: readonly Buffer[];
}

/**
 * @param repositories `*.example.com` stands for the hosts of that form whose names are readable in a line. Hashed lines
 *   cannot be searched by a pattern.
 * @param knownHosts the text of all files
 */
export function hostsOf(repositories: readonly RepositoryPattern[], knownHosts: string): KnownHost[] {
  const names = hostNames(repositories).flatMap((name) =>
    name.includes('*') ? namesLike(name, knownHosts) : [name],
  );
  return [...new Set(names)].map((host) => ({
    host,
    keys: checkableKeysFor(host, knownHosts),
    revoked: revokedKeysFor(host, knownHosts),
  }));
}

/** As known_hosts has it. */
export function hostName({ host, port }: Pick<RepositoryPattern, 'host' | 'port'>): string {
  return port === undefined || port === 22 ? host : `[${host}]:${port}`;
}

/** @param pattern with `*.`, which is exactly one label */
function namesLike(pattern: string, knownHosts: string): string[] {
  const labels = pattern.split('.').length;
  const words = knownHosts.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [hosts = ''] = fields[0]?.startsWith('@') ? fields.slice(1) : fields;
    return hosts.toLowerCase().split(',');
  });
  return words.filter(
    (word) => !/^[|#!]|[*?]/.test(word) && word.split('.').length === labels && matchesPattern(word, pattern),
  );
}
