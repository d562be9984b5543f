/** `restrict-to-hosts`: for which hosts the agent may use each key. Pure. */
import { Failure } from '../errors.ts';
import type { StoredKeyLine } from '../keys/key-line.ts';
import type { RoutedKey } from '../keys/routes.ts';
import type { Destination } from '../ssh/agent-protocol.ts';
import { hostKeysFor, type HostKey } from '../ssh/host-keys.ts';
import { hostNames } from '../ssh/repository-hosts.ts';

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
  return new Map(
    [...hosts].map(([fingerprint, names]) => [
      fingerprint,
      [...names].flatMap((host) => destinationsOf(host, hostKeysFor(host, knownHosts))),
    ]),
  );
}

/**
 * The agent compares the host's name with the principals of its certificate, which have no port. So the host's authorities
 * stand below the bare name.
 *
 * @source openssh-portable: match_key_hop in ssh-agent.c
 */
function destinationsOf(host: string, keys: readonly HostKey[]): Destination[] {
  const bare = /^\[(.*)\]:\d+$/.exec(host)?.[1] ?? host;
  return [
    { host, keys: keys.filter(({ isAuthority }) => !isAuthority) },
    { host: bare, keys: keys.filter(({ isAuthority }) => isAuthority) },
  ].filter((destination) => destination.keys.length > 0);
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
