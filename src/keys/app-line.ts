/** A line of `keys` with `as=github-app`: the App and its repositories. Pure. */
import { Failure } from '../errors.ts';
import type { Reference } from './reference.ts';
import { lowerCase, parseWrittenPattern, patternText, type RepositoryPattern } from './routes.ts';

export interface AppLine {
  readonly reference: Reference;
  /** At least one. Paths as written: `owner` or `owner/name`. */
  readonly repositories: readonly RepositoryPattern[];
}

/** The scope of one token: one host, and one owner, because an installation belongs to one owner. */
export interface TokenScope {
  readonly host: string;
  readonly port?: number;
  /** A list of `owner/name`; or only `owner` for all repositories that the App can access there. */
  readonly paths: readonly string[];
}

const form =
  'write github.com/OWNER/REPOSITORY after it, or github.com/OWNER for all repositories that the App can access there';

/**
 * Repositories are required. Otherwise the token would be for a whole host, and git would send it for any submodule
 * there.
 *
 * @throws INPUT_INVALID
 */
export function parseAppRepositories(texts: readonly string[]): RepositoryPattern[] {
  if (texts.length === 0) throw invalid('as=github-app names no repository');
  return texts.map((text) => {
    const pattern = parseWrittenPattern(text);
    const shown = patternText(pattern);
    if (pattern.host.startsWith('*.'))
      throw invalid(`a token is for one host, but "${shown}" matches several`);
    if (/^[\w.-]+(\/[\w.-]+)?$/.test(pattern.path) && !hasDots(pattern.path)) return pattern;
    throw invalid(`"${shown}" is not an owner or a repository on GitHub`);
  });
}

/** `.` and `..` in a URL would lead to another place of the API. */
export function hasDots(path: string): boolean {
  return path.split('/').some((part) => part === '.' || part === '..');
}

/** The line's repositories, grouped by host and owner. An owner covers its repositories. */
export function tokenScopes({ repositories }: Pick<AppLine, 'repositories'>): TokenScope[] {
  const scopes = new Map<string, RepositoryPattern[]>();
  for (const pattern of repositories) {
    const [owner = ''] = pattern.path.split('/');
    const place = lowerCase(patternText({ ...pattern, path: owner }));
    scopes.set(place, [...(scopes.get(place) ?? []), pattern]);
  }
  return [...scopes.values()].map((patterns) => {
    const whole = patterns.filter(({ path }) => !path.includes('/')).slice(0, 1);
    const paths = (whole.length > 0 ? whole : patterns).map(({ path }) => path);
    const { host, port } = patterns[0] as RepositoryPattern;
    return { host, ...(port !== undefined && { port }), paths };
  });
}

/**
 * The URLs for which git may use the token. git compares whole path segments, case-sensitively, and NAME and NAME.git
 * differ.
 */
export function scopeUrls({ host, port, paths }: TokenScope): string[] {
  const origin = `https://${patternText({ host, ...(port !== undefined && { port }), path: '' })}`;
  const urls = paths.flatMap((path) =>
    [path, lowerCase(path)].flatMap((one) => (one.includes('/') ? [one, `${one}.git`] : [one])),
  );
  return [...new Set(urls)].map((path) => `${origin}/${path}`);
}

function invalid(problem: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint: form });
}
