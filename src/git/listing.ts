/** git's configuration in git's own words: what it lists, who says it, and what it is told (git-config(1)). Pure. */

/** As git lists them: section and variable in lower case, what stands between as it is. */
export type Settings = ReadonlyMap<string, readonly string[]>;

/** A line of git's configuration, with who says it. */
export interface ScopedSetting {
  /** As git calls it; `protected` or `repository` where git is too old to say. */
  readonly scope: string;
  readonly name: string;
  /** undefined: a name alone, which is true to git. */
  readonly value: string | undefined;
}

export interface Listing {
  /** In git's order: of the same name the last one counts. */
  readonly entries: readonly ScopedSetting[];
  /** Whether git told the scopes: only then two listings that look the same are the same. */
  readonly scoped: boolean;
}

/** System, global and the environment: not the repository's, whose folder somebody else may have filled (git-config(1)). */
export function isProtected({ scope }: Pick<ScopedSetting, 'scope'>): boolean {
  // `local`, `worktree` and what later gits may add are the repository's.
  return ['system', 'global', 'command', 'protected'].includes(scope);
}

/** What `git config -z --show-scope` lists. */
export function parseScoped(listing: string): ScopedSetting[] {
  const parts = listing.split('\0').slice(0, -1);
  return parts.flatMap((scope, index) =>
    index % 2 === 0 ? [{ scope, ...parseEntry(parts[index + 1] ?? '') }] : [],
  );
}

/** What `git config -z` lists. */
export function parseUnscoped(listing: string, scope: string): ScopedSetting[] {
  return listing
    .split('\0')
    .filter(Boolean)
    .map((entry) => ({ scope, ...parseEntry(entry) }));
}

function parseEntry(entry: string): Pick<ScopedSetting, 'name' | 'value'> {
  const end = entry.indexOf('\n');
  return end < 0
    ? { name: entry, value: undefined }
    : { name: entry.slice(0, end), value: entry.slice(end + 1) };
}

/** A variable without = is true, and has no value to compare. */
export function settingsIn(entries: readonly Pick<ScopedSetting, 'name' | 'value'>[]): Settings {
  const settings = new Map<string, string[]>();
  for (const { name, value = '' } of entries) settings.set(name, [...(settings.get(name) ?? []), value]);
  return settings;
}

export type Scope = 'system' | 'global';

/** A setting, and what it is to be; undefined: not there. */
export interface Setting {
  readonly name: string;
  readonly value: string | undefined;
  /** A pattern: of the values that are there, it replaces those that match, and stands beside the others. */
  readonly among?: string | undefined;
}

export function canonicalName(name: string): string {
  const [, section = '', middle = '', variable = ''] = /^([^.]*)(.*)\.([^.]*)$/s.exec(name) ?? [];
  return `${section.toLowerCase()}${middle}.${variable.toLowerCase()}`;
}

/** What git config is told. */
export function writing({ name, value, among }: Setting, scope: Scope): string[] {
  if (value === undefined) return [`--${scope}`, '--unset-all', name];
  return [`--${scope}`, '--replace-all', name, value, ...(among === undefined ? [] : [among])];
}
