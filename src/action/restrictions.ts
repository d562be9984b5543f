/** For which hosts the agent may use each key, where `restrict-to-hosts` says that it matters. Pure. */
import { Failure } from '../errors.ts';
import type { KeyLine } from '../keys/key-line.ts';
import type { RepositoryPattern, RoutedKey } from '../keys/routes.ts';
import type { Destination } from '../ssh/agent-protocol.ts';
import { hostKeysFor } from '../ssh/host-keys.ts';
import { pinnedHosts } from '../ssh/known-hosts.ts';

/**
 * Fingerprint → where the agent may sign. A key that two lines name gets the hosts of both: adding it again replaces the
 * first ones.
 *
 * @param knownHosts as renderKnownHosts makes it
 */
export function destinationsOfKeys(
  keys: readonly RoutedKey[],
  knownHosts: string,
): Map<string, readonly Destination[]> {
  const hosts = new Map<string, ReadonlySet<string>>();
  for (const { fingerprint, repositories } of keys) {
    hosts.set(fingerprint, new Set([...(hosts.get(fingerprint) ?? []), ...hostNames(repositories)]));
  }
  const destination = (host: string): Destination => ({ host, keys: hostKeysFor(host, knownHosts) });
  return new Map([...hosts].map(([fingerprint, names]) => [fingerprint, [...names].map(destination)]));
}

/**
 * Before anything is asked of AWS.
 *
 * @param knownHosts as renderKnownHosts makes it
 * @throws KNOWN_HOSTS_INVALID
 */
export function checkRestrictable(lines: readonly KeyLine[], knownHosts: string): void {
  for (const { reference, repositories } of lines) {
    const wildcard = repositories.find(({ host }) => host.startsWith('*.'));
    if (wildcard) {
      throw new Failure(
        'KNOWN_HOSTS_INVALID',
        `restrict-to-hosts cannot hold for ${reference.text}, which keys names for ${wildcard.host}: no single host has that name`,
        { hint: 'name each host behind the key, or leave restrict-to-hosts out' },
      );
    }
    const unknown = hostNames(repositories).find((host) => hostKeysFor(host, knownHosts).length === 0);
    if (unknown === undefined) continue;
    throw new Failure(
      'KNOWN_HOSTS_INVALID',
      `no key is known for the host ${unknown}, to which ${reference.text} is restricted`,
      {
        hint: 'add its line to known-hosts (ssh-keyscan prints it; compare the fingerprint), or leave restrict-to-hosts out',
      },
    );
  }
}

/** As known_hosts and `ssh-add -h` write them. */
function hostNames(repositories: readonly RepositoryPattern[]): readonly string[] {
  return repositories.length > 0 ? repositories.map(hostName) : pinnedHosts.flatMap(({ names }) => names);
}

function hostName({ host, port }: RepositoryPattern): string {
  return port === undefined || port === 22 ? host : `[${host}]:${port}`;
}
