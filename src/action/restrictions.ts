/** For which hosts the agent may use each key, where `restrict-to-hosts` says that it matters. Pure. */
import { Failure } from '../errors.ts';
import type { RepositoryPattern, RoutedKey } from '../keys/routes.ts';
import { pinnedHosts } from '../ssh/pinned-hosts.ts';

/**
 * Fingerprint → host names as known_hosts and `ssh-add -h` write them. A key that two lines name gets the hosts of both:
 * adding it again would replace the first ones.
 *
 * @throws KNOWN_HOSTS_INVALID
 */
export function hostsOfKeys(keys: readonly RoutedKey[]): Map<string, readonly string[]> {
  const hosts = new Map<string, readonly string[]>();
  for (const { fingerprint, repositories } of keys) {
    const names =
      repositories.length > 0 ? repositories.map(hostName) : pinnedHosts.flatMap((host) => host.names);
    hosts.set(fingerprint, [...new Set([...(hosts.get(fingerprint) ?? []), ...names])]);
  }
  return hosts;
}

function hostName({ host, port }: RepositoryPattern): string {
  if (host.startsWith('*.')) {
    throw new Failure(
      'KNOWN_HOSTS_INVALID',
      `a key cannot be restricted to ${host}: no single host has that name`,
      {
        hint: 'name each host behind the key, or leave restrict-to-hosts out',
      },
    );
  }
  return port === undefined || port === 22 ? host : `[${host}]:${port}`;
}
