/** Repository patterns, `host[:port][/path]`: which repositories a key is for. Pure. */
import { Failure } from '../errors.ts';

export interface RepositoryPattern {
  /** Lower case; `*.example.com` stands for exactly one label in front. */
  readonly host: string;
  /** Absent: the port of the protocol. */
  readonly port?: number;
  /** Lower case, whole segments, without `.git`; empty for every repository of the host. */
  readonly path: string;
}

const hostName = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;
const addressV6 = /^\[[0-9a-f:.]+\]$/;

/**
 * A pasted URL works: a scheme and a user in front are dropped, as are `.git` and `/*` behind; `git@host:owner/repo`
 * becomes host and path.
 *
 * @throws INPUT_INVALID
 */
export function parseRepositoryPattern(text: string): RepositoryPattern {
  const [, scheme = '', user = '', rest = ''] =
    /^([a-z][a-z0-9+.-]*:\/\/)?([^/@]*@)?(.*)$/i.exec(text.toLowerCase()) ?? [];
  const [, host = '', separator = '', behind = ''] = /^(\[[^\]]*\]|[^/:]*)([:/]?)(.*)$/.exec(rest) ?? [];
  if (!hostName.test(host) && !addressV6.test(host)) {
    throw invalid(
      text,
      'does not begin with a host',
      'write host/owner/repository, for example github.com/acme/lib',
    );
  }
  const [, port = '', path = ''] =
    separator === ':' ? (/^(\d+)(?:\/(.*))?$/.exec(behind) ?? []) : [undefined, '', behind];
  if (separator === ':' && !port) {
    // The scp form, `git@host:owner/repo`, has a path behind the colon.
    if (scheme || !user)
      throw invalid(text, 'has no port behind its colon', 'write host:port/path, or host/path');
    return { host, path: cleanPath(behind, text) };
  }
  if (!port) return { host, path: cleanPath(path, text) };
  if (Number(port) < 1 || Number(port) > 65_535)
    throw invalid(text, 'has a port out of range', 'ports are 1 to 65535');
  return { host, port: Number(port), path: cleanPath(path, text) };
}

function cleanPath(path: string, text: string): string {
  const clean = path
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '')
    .replace(/(^|\/)\*$/, '');
  if (clean.includes('*'))
    throw invalid(text, 'has a * inside its path', 'a * can stand for the last part only: host/owner/*');
  if (/(^|\/)\.git\/*$/.test(path) || (clean.split('/').includes('') && clean !== ''))
    throw invalid(text, 'has an empty part between slashes', 'write host/owner/repository');
  return clean;
}

function invalid(text: string, problem: string, hint: string): Failure {
  // A pasted URL may carry a password.
  const shown = text.replace(/(:\/\/[^/@:]*):[^/]*@/, '$1@');
  return new Failure('INPUT_INVALID', `the repository "${shown}" ${problem}`, { hint });
}
