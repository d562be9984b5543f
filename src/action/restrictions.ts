/** For which hosts the agent may use each key, where `restrict-to-hosts` says that it matters. Pure. */
import { Failure } from '../errors.ts';
import type { KeyLine } from '../keys/key-line.ts';
import type { RepositoryPattern, RoutedKey } from '../keys/routes.ts';
import { pinnedHosts } from '../ssh/pinned-hosts.ts';

/**
 * Fingerprint → host names as known_hosts and `ssh-add -h` write them. A key that two lines name gets the hosts of both:
 * adding it again would replace the first ones.
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

/**
 * Before anything is asked of AWS.
 *
 * @throws KNOWN_HOSTS_INVALID
 */
export function checkRestrictable(lines: readonly KeyLine[]): void {
  for (const { reference, repositories } of lines) {
    const wildcard = repositories.find(({ host }) => host.startsWith('*.'));
    if (!wildcard) continue;
    throw new Failure(
      'KNOWN_HOSTS_INVALID',
      `restrict-to-hosts cannot hold for ${reference.text}, which keys names for ${wildcard.host}: no single host has that name`,
      { hint: 'name each host behind the key, or leave restrict-to-hosts out' },
    );
  }
}

function hostName({ host, port }: RepositoryPattern): string {
  return port === undefined || port === 22 ? host : `[${host}]:${port}`;
}
