/** A line of `keys` with `as=github-app`: whose token, for which repositories. Pure. */
import { Failure } from '../errors.ts';
import type { Reference } from './reference.ts';
import { lowerCase, parseWrittenPattern, patternText, type RepositoryPattern } from './routes.ts';

export interface AppLine {
  readonly reference: Reference;
  /** At least one. Paths as they are written, `owner` or `owner/name`. */
  readonly repositories: readonly RepositoryPattern[];
}

/** What one token is for: an installation is of one owner, and a token goes to one host. */
export interface TokenScope {
  readonly host: string;
  readonly port?: number;
  /** `owner/name` each; or `owner` alone, all that the App sees there. */
  readonly paths: readonly string[];
}

const form =
  'write github.com/OWNER/REPOSITORY behind it, or github.com/OWNER for all that the App sees there';

/**
 * Without repositories it could only be for all of a host: git would send the token wherever a submodule leads it there.
 *
 * @throws INPUT_INVALID
 */
export function parseAppRepositories(texts: readonly string[]): RepositoryPattern[] {
  if (texts.length === 0) throw invalid('as=github-app names no repository');
  return texts.map((text) => {
    const pattern = parseWrittenPattern(text);
    const shown = patternText(pattern);
    if (pattern.host.startsWith('*.')) throw invalid(`a token is for one host, and "${shown}" is several`);
    if (/^[\w.-]+(\/[\w.-]+)?$/.test(pattern.path) && !hasDots(pattern.path)) return pattern;
    throw invalid(`"${shown}" is no owner and no repository of GitHub's`);
  });
}

/** `.` and `..` are no names: they lead a URL to another place of the API. */
export function hasDots(path: string): boolean {
  return path.split('/').some((part) => part === '.' || part === '..');
}

/** The line's repositories by host and owner. One that is named whole covers its repositories. */
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
 * What git is to send the token to. It compares paths by whole parts and with regard to case, and does not take NAME and
 * NAME.git for one.
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
