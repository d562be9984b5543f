/** `restrict-to-hosts`: for which hosts the agent may use each key. Pure. */
import { Failure } from '../errors.ts';
import type { StoredKeyLine } from '../keys/key-line.ts';
import type { RepositoryPattern, RoutedKey } from '../keys/routes.ts';
import type { Destination } from '../ssh/agent-protocol.ts';
import { hostKeysFor } from '../ssh/host-keys.ts';
import { pinnedHosts } from '../ssh/known-hosts.ts';

/**
 * Fingerprint → hosts for which the agent may sign. A key that two lines name gets the hosts of both: adding a key again
 * replaces its first hosts.
 *
 * @param knownHosts the text that renderKnownHosts makes
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
 * Checks the keys before any call to AWS.
 *
 * @param knownHosts the text that renderKnownHosts makes
 * @throws KNOWN_HOSTS_INVALID
 */
export function checkRestrictable(lines: readonly StoredKeyLine[], knownHosts: string): void {
  for (const { reference, repositories } of lines) {
    const wildcard = repositories.find(({ host }) => host.startsWith('*.'));
    if (wildcard) {
      throw new Failure(
        'KNOWN_HOSTS_INVALID',
        `restrict-to-hosts does not work for ${reference.text}, which keys names for ${wildcard.host}: no single host has that name`,
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

/** A host as known_hosts and `ssh-add -h` write it. */
function hostNames(repositories: readonly RepositoryPattern[]): readonly string[] {
  return repositories.length > 0 ? repositories.map(hostName) : pinnedHosts.flatMap(({ names }) => names);
}

function hostName({ host, port }: RepositoryPattern): string {
  return port === undefined || port === 22 ? host : `[${host}]:${port}`;
}
