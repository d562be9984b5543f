/** Chooses the credential for a request of git, from git's configuration and the environment. Pure. */
import { Failure } from '../errors.ts';
import { patternOf, sectionsWith, settingsOf, type Environment, type HostSettings } from './settings.ts';
import { matchRoutes, type RepositoryPattern, type Route } from '../keys/routes.ts';
import { decoded } from '../keys/url-text.ts';
import type { Settings } from '../git/listing.ts';
import type { Credential } from '../git/credential.ts';

export interface NamedCredential extends HostSettings {
  /** The user's name for its source: a section or a variable. */
  readonly place: string;
  /** A key reference, as written. */
  readonly reference: string;
  /** Absent: the stored value has the user name. */
  readonly username?: string;
}

export type CredentialRoute = Route<NamedCredential>;

export interface Routes {
  readonly routes: readonly CredentialRoute[];
  /** About configuration that is ignored. */
  readonly warnings: readonly string[];
}

/** @throws INPUT_INVALID */
export function readRoutes(settings: Settings, env: Environment): Routes {
  const warnings: string[] = [];
  const sections = sectionsWith(settings, 'credential');
  const routes = sections.flatMap((section) => {
    const reference = settings.get(`ssm.${section}.credential`)?.at(-1) ?? '';
    const pattern = patternOf(section);
    if (!pattern) {
      // The part before an @ may be a password.
      warnings.push(
        `the section [ssm "${section.slice(section.lastIndexOf('@') + 1)}"] of git's configuration names no repository: it is ignored`,
      );
    }
    // As elsewhere in git, an empty value removes the value of a less specific file.
    if (!pattern || reference === '') return [];
    const username = settings.get(`ssm.${section}.username`)?.at(-1);
    const key = { ...settingsOf(settings, env, section), place: `[ssm "${section}"]`, reference };
    return [{ key: { ...key, ...(username && { username }) }, repositories: [pattern] }];
  });
  if (settings.has('ssm.credential')) {
    warnings.push(
      'ssm.credential is ignored: write it in a section that names a host, such as [ssm "github.com/acme"]',
    );
  }
  const reference = env['SSM_SSH_CREDENTIAL'] ?? '';
  const host = env['SSM_SSH_CREDENTIAL_HOST'] ?? '';
  if (reference === '') return { routes, warnings };
  if (host === '') {
    warnings.push('SSM_SSH_CREDENTIAL is ignored: set SSM_SSH_CREDENTIAL_HOST to its host');
    return { routes, warnings };
  }
  const key = { ...settingsOf(settings, env), place: 'SSM_SSH_CREDENTIAL', reference };
  return { routes: [...routes, { key, repositories: [exactHost(host)] }], warnings };
}

/** @throws INPUT_INVALID */
function exactHost(text: string): RepositoryPattern {
  const pattern = patternOf(text);
  if (pattern && pattern.path === '' && !pattern.host.startsWith('*.')) return pattern;
  throw new Failure('INPUT_INVALID', `SSM_SSH_CREDENTIAL_HOST is not a host: "${text.slice(0, 100)}"`, {
    hint: 'write one exact host, with its port if it is not 443: github.com or git.example.com:8443',
  });
}

/** What git tells a helper about a URL. */
export function requestFor(url: URL, { path }: { readonly path: boolean }): Credential {
  const { host, pathname, username } = url;
  return {
    ...{ protocol: 'https', host },
    ...(path && { path: decoded(pathname.slice(1)) }),
    ...(username !== '' && { username: decoded(username) }),
  };
}

export interface Choice {
  readonly named?: NamedCredential;
  readonly warnings: readonly string[];
}

const httpsPort = 443;

/**
 * Uses the same matcher as all programs. If several routes have the same pattern, the last one wins; the environment is
 * the last. A configured user name has to equal the user name that git asks for.
 */
export function chooseRoute(routes: readonly CredentialRoute[], request: Credential): Choice {
  const remote = remoteOf(request);
  if (!remote) return { warnings: [] };
  const { username } = request;
  const fitting = routes.filter(
    ({ key }) => username === undefined || key.username === undefined || key.username === username,
  );
  const best = matchRoutes(fitting, remote, httpsPort);
  const named = best.at(-1);
  if (named) {
    const several = best.filter(({ place }) => place.startsWith('['));
    if (several.length < 2) return { named, warnings: [] };
    const places = several.map(({ place }) => place).join(' and ');
    return { named, warnings: [`${places} name the same repositories: ${named.place} is used`] };
  }
  const narrower = request.path === undefined && matchRoutes(fitting.map(wholeHost), remote, httpsPort)[0];
  if (!narrower) return { warnings: [] };
  const setting = `credential.https://${request.host ?? ''}.useHttpPath`;
  return {
    warnings: [
      `git does not say for which repository, and ${narrower.place} names only a part of the host: git config --global ${setting} true`,
    ],
  };
}

function wholeHost({ key, repositories }: CredentialRoute): CredentialRoute {
  return { key, repositories: repositories.map((pattern) => ({ ...pattern, path: '' })) };
}

interface HttpsRemote {
  readonly host: string;
  readonly port?: number;
  readonly path: string;
}

/** undefined: do not answer. */
function remoteOf({ protocol, host = '', path = '' }: Credential): HttpsRemote | undefined {
  if (protocol !== 'https') return undefined;
  const [, name = '', port] = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(host) ?? [];
  // git asks for the path as written, but curl then resolves the dots: acme/../evil does not belong to acme.
  if (name === '' || path.split('/').some((part) => part === '.' || part === '..')) return undefined;
  return {
    host: name.replace(/^\[|\]$/g, ''),
    ...(port !== undefined && { port: Number(port) }),
    path: repositoryOf(path),
  };
}

/** git-lfs asks for `REPOSITORY.git/info/lfs`. */
export function repositoryOf(path: string): string {
  return path.replace(/\/info\/lfs(\/.*)?$/, '');
}
