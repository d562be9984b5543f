/** URL or HOST as text → the destination, as git and ssh read it. Pure. */
import { Failure } from '../../src/errors.ts';
import { remoteOfPattern, remoteOfUrl, type RemoteUrl } from '../../src/host/foreign-command.ts';
import { shown } from '../../src/keys/shown-text.ts';

export type Target =
  | { readonly kind: 'ssh'; readonly remote: RemoteUrl; readonly isGit: boolean }
  | { readonly kind: 'https'; readonly url: URL }
  /** git starts no ssh and asks no credential helper of ours. */
  | { readonly kind: 'other'; readonly protocol: string };

/** Whether git, and not ssh, gets the text: a URL, or a path behind a host. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || /^[^/]*[:/]/.test(text);
}

/**
 * @param text after git has rewritten it
 * @throws INPUT_INVALID
 */
export function parseTarget(text: string): Target {
  const [, scheme] = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text) ?? [];
  const remote = /[\p{Cc}\s]/u.test(text) ? undefined : remoteOf(text);
  if (remote && isHost(remote.host) && isPort(remote.port))
    return { kind: 'ssh', remote, isGit: isUrl(text) };
  if (scheme === 'https' && URL.canParse(text)) return { kind: 'https', url: new URL(text) };
  if (['http', 'git', 'file', 'ftp', 'ftps'].includes(scheme ?? '')) {
    return { kind: 'other', protocol: scheme ?? '' };
  }
  throw new Failure('INPUT_INVALID', `not a URL or a host: "${shown(text)}"`, {
    hint: 'write git@github.com:acme/lib.git, https://github.com/acme/lib.git, github.com/acme/lib, or a host',
  });
}

function remoteOf(text: string): RemoteUrl | undefined {
  if (isUrl(text)) return remoteOfUrl(text) ?? remoteOfPattern(text);
  const [, user, host = ''] = /^(?:([^@=]*)@)?(.*)$/.exec(text) ?? [];
  return { host, path: '', ...(user && { user }) };
}

/** A name, an address, or TAG=VALUE. A name that begins with a hyphen would be an option of ssh. */
function isHost(host: string): boolean {
  return host !== '' && !host.startsWith('-') && (host.includes('=') || /^[\w.:%*-]+$/.test(host));
}

function isPort(port: number | undefined): boolean {
  return port === undefined || (port >= 1 && port <= 65_535);
}
