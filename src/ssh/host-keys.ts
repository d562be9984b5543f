/** The keys that a known_hosts file has for a host, found as OpenSSH finds them. Pure. */
import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { pointJwk } from '../keys/curves.ts';
import { WireReader } from '../keys/wire.ts';

export interface HostKey {
  /** In wire form. */
  readonly blob: Buffer;
  /** It signs the host's certificates, and is not the host's own. */
  readonly isAuthority: boolean;
}

/**
 * In the order of the lines. A key that is revoked for the host is not among them, whatever another line says: ssh refuses
 * the host by it. Nor is one that OpenSSH's agent cannot read: it would refuse all.
 *
 * @param host as known_hosts has it: `[host]:port` where the port is not 22
 * @param knownHosts as renderKnownHosts makes it, which checks each line
 * @source sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; hostkeys_foreach_file in openssh-portable's hostfile.c
 */
export function hostKeysFor(host: string, knownHosts: string): HostKey[] {
  const lines = knownHosts.split('\n').flatMap((line) => readLine(line) ?? []);
  const matching = lines.filter(({ hosts }) => matches(host.toLowerCase(), hosts));
  const revoked = matching.filter(({ marker }) => marker === '@revoked');
  return matching
    .filter(({ marker }) => marker !== '@revoked')
    .filter(({ blob }) => isReadable(blob) && !revoked.some((other) => other.blob.equals(blob)))
    .map(({ marker, blob }) => ({ blob, isAuthority: marker === '@cert-authority' }));
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

/** @param hosts the field of a line: patterns with commas between, or one hashed name */
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

/** `*` is any text, `?` any character (match_pattern in match.c). By hand: an expression could take for ever. */
function matchesPattern(text: string, pattern: string): boolean {
  let [at, next] = [0, 0];
  /** Where to go on after the last `*` took one character more. */
  let [star, taken] = [-1, 0];
  while (at < text.length) {
    if (pattern[next] === '*') {
      [star, taken] = [next, at];
      next++;
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === text[at])) {
      at++;
      next++;
    } else if (star >= 0) {
      taken++;
      [at, next] = [taken, star + 1];
    } else return false;
  }
  return /^\**$/.test(pattern.slice(next));
}

/** Whether it is a public key of a type that every OpenSSH has. */
function isReadable(blob: Buffer): boolean {
  try {
    const reader = new WireReader(blob);
    const jwk = publicJwk(reader.string().toString('latin1'), reader);
    if (!jwk || reader.rest.length > 0) return false;
    const { asymmetricKeyDetails } = createPublicKey({ key: jwk, format: 'jwk' });
    return (asymmetricKeyDetails?.modulusLength ?? 1024) >= 1024;
  } catch {
    return false; // Cut off, or no point of the curve.
  }
}

/** @source RFC 8709 §4, RFC 4253 §6.6, RFC 5656 §3.1 */
function publicJwk(type: string, reader: WireReader): JsonWebKey | undefined {
  const next = (): string => reader.string().toString('base64url');
  if (type === 'ssh-ed25519') return { kty: 'OKP', crv: 'Ed25519', x: next() };
  if (type === 'ssh-rsa') return { kty: 'RSA', e: next(), n: next() };
  return pointJwk(type, reader.string(), reader.string());
}
