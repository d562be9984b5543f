/** Decides whether a key may sign for the host that a client logs in to. Pure. */
import { fingerprint } from '../../keys/public-key.ts';
import { allowHint, hostHint, type RulePlace } from '../../keys/rule-place.ts';
import { invalidity, isCertificate, readHostCertificate } from '../../ssh/host-certificate.ts';
import type { KnownHost, Limits } from './identity.ts';
import type { SessionBindings } from './session-bindings.ts';
import { refused, type Authentication, type SignatureRequest } from './signature-request.ts';

/** The host's plain key or certificate; undefined if nobody names it. */
export type HostKeyBlob = Buffer | undefined;

export type Rules = Pick<Limits, 'unbound' | 'forwarding' | 'writtenIn'>;

/**
 * The key of the host that the signature is for.
 *
 * Through a forwarded agent only the last host is judged: each host on the way has asked for its own login.
 *
 * @returns undefined if no host is named and the rules allow it
 * @throws SIGNATURE_REFUSED
 */
export function namedHost(request: SignatureRequest, bindings: SessionBindings, rules: Rules): HostKeyBlob {
  if (bindings.hasOnlyFailed) {
    throw refused(
      "the client's session-bind was not valid",
      'update OpenSSH on this machine and on the host',
    );
  }
  if (bindings.isForwarded && rules.forwarding === 'refuse') {
    throw refused(
      'the request comes through a forwarded agent',
      `if hosts that you log in to may use it: ${allowHint('forwarding', rules.writtenIn ?? 'line')}`,
    );
  }
  if (request.purpose === 'authentication') return loginHost(request, bindings, rules);
  checkGit(bindings);
  return undefined;
}

/** git's signatures have no host. */
function checkGit({ last }: SessionBindings): void {
  if (!last || last.isForwarding) return;
  throw refused('the connection is bound to a login, and git asks for a signature', 'open a new connection');
}

function loginHost(request: Authentication, bindings: SessionBindings, rules: Rules): HostKeyBlob {
  const { last } = bindings;
  // The client behind a forwarded agent may not bind its own session.
  if (!last || last.isForwarding) return unboundHost(request, rules);
  if (!last.sessionId.equals(request.sessionId)) {
    throw refused('the login is for another session than the one that is bound', 'open a new connection');
  }
  if (request.hostKey && !request.hostKey.equals(last.hostKey)) {
    throw refused('the login names another host key than the bound session', 'open a new connection');
  }
  if (bindings.isForwarded && !request.hostKey) {
    throw refused(
      'a forwarded login does not name its host key',
      'OpenSSH 8.9 or newer is needed on each host',
    );
  }
  return last.hostKey;
}

/** A server accepts a hostbound login only with its own key in it, so the key may be believed. */
function unboundHost({ hostKey }: Authentication, { unbound, writtenIn = 'line' }: Rules): HostKeyBlob {
  if (hostKey || unbound === 'allow') return hostKey;
  throw refused(
    'the client does not name the host that it logs in to',
    `use OpenSSH 8.9 or newer, or: ${allowHint('unbound', writtenIn)}`,
  );
}

export interface Judging {
  /** Seconds since the epoch. */
  readonly now: number;
  /** For the hint. Default: a line. */
  readonly writtenIn?: RulePlace | undefined;
}

/**
 * @param hosts that the key may sign for
 * @returns the host's name in known_hosts form
 * @throws SIGNATURE_REFUSED
 */
export function permittedHost(
  hostKey: Buffer,
  hosts: readonly KnownHost[],
  { now, writtenIn = 'line' }: Judging,
): string {
  if (isCertificate(hostKey)) return certifiedHost(hostKey, hosts, { now, writtenIn });
  const found = hostWithKey(hostKey, hosts);
  if (found) return found.host;
  throw notPermitted(`the host key ${fingerprint({ blob: hostKey })}`, hosts, writtenIn);
}

function hostWithKey(key: Buffer, hosts: readonly KnownHost[]): KnownHost | undefined {
  return hosts.find(({ keys, revoked = [] }) => isAmong(key, keys, false) && !isIn(key, revoked));
}

/**
 * The key in the certificate may be known itself: if ssh does not know the authority, it compares the key, or writes it
 * with `accept-new` (check_host_key in sshconnect.c). It binds the session to the certificate in both cases.
 */
function certifiedHost(
  blob: Buffer,
  hosts: readonly KnownHost[],
  { now, writtenIn = 'line' }: Judging,
): string {
  const certificate = readHostCertificate(blob);
  if (!certificate) throw refused("the host's certificate is damaged", 'sign the key of the host again');
  const { certified, authority } = certificate;
  const byKey = hostWithKey(certified, hosts);
  if (byKey) return byKey.host;
  const trusting = hosts.filter(
    ({ keys, revoked = [] }) =>
      isAmong(authority, keys, true) && !isIn(authority, revoked) && !isIn(certified, revoked),
  );
  const found = trusting.find(({ host }) => invalidity(certificate, { host, now }) === undefined);
  if (found) return found.host;
  const [first] = trusting;
  const problem = first && invalidity(certificate, { host: first.host, now });
  if (problem !== undefined) {
    throw refused(`the host's certificate ${problem}`, 'sign the key of the host again, for its name');
  }
  throw notPermitted(`a certificate by ${fingerprint({ blob: authority })}`, hosts, writtenIn);
}

function isAmong(blob: Buffer, keys: KnownHost['keys'], isAuthority: boolean): boolean {
  return keys.some((key) => key.isAuthority === isAuthority && key.blob.equals(blob));
}

function isIn(blob: Buffer, blobs: readonly Buffer[]): boolean {
  return blobs.some((other) => other.equals(blob));
}

function notPermitted(what: string, hosts: readonly KnownHost[], writtenIn: RulePlace): Error {
  const names = [...new Set(hosts.map(({ host }) => host))];
  const shown = names.length > 5 ? `${names.slice(0, 5).join(', ')}, …` : names.join(', ');
  return refused(
    `the host has ${what}, which is not a known key of a host of this key (${shown || 'none is known'})`,
    hostHint(writtenIn),
  );
}
