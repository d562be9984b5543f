/** Finds a host's keys in a known_hosts file, in the same way as OpenSSH. Pure. */
import { createHmac } from 'node:crypto';
import { keyObjectOf } from '../keys/key-object.ts';
import { isSecurityKey } from '../keys/security-key.ts';

export interface HostKey {
  /** In wire form. */
  readonly blob: Buffer;
  /** Whether the key signs host certificates. Then it is not a host's own key. */
  readonly isAuthority: boolean;
}

/**
 * The host's keys in the order of the lines. A key that any line revokes for the host is left out, because ssh refuses
 * it. A key that not every OpenSSH's agent can read is left out, because the agent would refuse the whole list.
 *
 * @param host in known_hosts form: `[host]:port` if the port is not 22
 * @param knownHosts the text from renderKnownHosts, which checks each line
 * @source sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; hostkeys_foreach_file in openssh-portable's hostfile.c
 */
export function hostKeysFor(host: string, knownHosts: string): HostKey[] {
  return keysFor(host, knownHosts).filter(({ blob }) => keyObjectOf(blob) !== undefined);
}

/** Also authorities in security keys: for our own agent, which can check their certificates. */
export function checkableKeysFor(host: string, knownHosts: string): HostKey[] {
  return keysFor(host, knownHosts).filter(
    ({ blob, isAuthority }) => keyObjectOf(blob) !== undefined || (isAuthority && isSecurityKey(blob)),
  );
}

function keysFor(host: string, knownHosts: string): HostKey[] {
  const matching = matchingLines(host, knownHosts);
  const revoked = matching.filter(({ marker }) => marker === '@revoked');
  return matching
    .filter(({ blob }) => !revoked.some((other) => other.blob.equals(blob)))
    .map(({ marker, blob }) => ({ blob, isAuthority: marker === '@cert-authority' }));
}

/** The keys that a line revokes for the host: the host's own ones, or those of authorities. */
export function revokedKeysFor(host: string, knownHosts: string): Buffer[] {
  return matchingLines(host, knownHosts).flatMap(({ marker, blob }) => (marker === '@revoked' ? [blob] : []));
}

function matchingLines(host: string, knownHosts: string): Line[] {
  const lines = knownHosts.split('\n').flatMap((line) => readLine(line) ?? []);
  return lines.filter(({ hosts }) => matches(host.toLowerCase(), hosts));
}

interface Line {
  readonly marker: '' | '@cert-authority' | '@revoked';
  readonly hosts: string;
  readonly blob: Buffer;
}

function readLine(text: string): Line | undefined {
  const [, marker = '', hosts = '', key = ''] =
    /^[ \t]*(?:(@cert-authority|@revoked)[ \t]+)?([^\s@#]\S*)[ \t]+\S+[ \t]+(\S+)/.exec(text) ?? [];
  if (key === '') return undefined;
  return { marker: marker as Line['marker'], hosts, blob: Buffer.from(key, 'base64') };
}

/** @param hosts the first field of a line: patterns separated by commas, or one hashed name */
function matches(host: string, hosts: string): boolean {
  if (hosts.startsWith('|')) return isHashOf(host, hosts);
  let found = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!matchesPattern(host, negated ? pattern.slice(1) : pattern)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** `|1|SALT|HASH` (host_hash in hostfile.c). */
function isHashOf(host: string, hashed: string): boolean {
  const [, magic, salt = '', hash] = hashed.split('|');
  if (magic !== '1') return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest('base64') === hash;
}

/** `*` matches any text, `?` any character (match_pattern in match.c). A regular expression could take exponential time. */
export function matchesPattern(text: string, pattern: string): boolean {
  let [at, next] = [0, 0];
  /** The pattern's position after the last `*`, and the number of characters that the `*` has taken. */
  let [star, taken] = [-1, 0];
  while (at < text.length) {
    if (pattern[next] === '*') {
      [star, taken] = [next, at];
      next++;
    } else if (pattern[next] === '?' || pattern[next] === text[at]) {
      at++;
      next++;
    } else if (star >= 0) {
      taken++;
      [at, next] = [taken, star + 1];
    } else return false;
  }
  return /^\**$/.test(pattern.slice(next));
}
