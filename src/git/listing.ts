/** Parses git's list of its configuration with scopes, and renders the arguments for a change (git-config(1)). Pure. */

/** Names in git's form: section and variable in lower case, the subsection as written. */
export type Settings = ReadonlyMap<string, readonly string[]>;

/** A setting of git's configuration with its scope. */
export interface ScopedSetting {
  /** git's name of the scope; `protected` or `repository` if git is too old to report it. */
  readonly scope: string;
  readonly name: string;
  /** undefined: a name without a value, which is true for git. */
  readonly value: string | undefined;
  /** git's text for its place, `file:PATH` or `command line:`. Absent: not asked for, or git is too old. */
  readonly origin?: string;
}

export interface Listing {
  /** In git's order: the last value of a name counts. */
  readonly entries: readonly ScopedSetting[];
  /** Whether git reported the scopes. Without them, two equal lists may differ in their scopes. */
  readonly scoped: boolean;
}

/**
 * The system, the user and the environment. Not the repository: another person may have filled the folder
 * (git-config(1)).
 */
export function isProtected({ scope }: Pick<ScopedSetting, 'scope'>): boolean {
  // `local`, `worktree` and unknown scopes count as the repository's.
  return ['system', 'global', 'command', 'protected'].includes(scope);
}

/** Parses the output of `git config -z --show-scope`. */
export function parseScoped(listing: string): ScopedSetting[] {
  const parts = listing.split('\0').slice(0, -1);
  return parts.flatMap((scope, index) =>
    index % 2 === 0 ? [{ scope, ...parseEntry(parts[index + 1] ?? '') }] : [],
  );
}

/** Parses the output of `git config -z --show-scope --show-origin`. */
export function parseWithOrigins(listing: string): ScopedSetting[] {
  const parts = listing.split('\0').slice(0, -1);
  return parts.flatMap((scope, index) => {
    if (index % 3 !== 0) return [];
    return [{ scope, origin: parts[index + 1] ?? '', ...parseEntry(parts[index + 2] ?? '') }];
  });
}

/** Parses the output of `git config -z`. */
export function parseUnscoped(listing: string, scope: string): ScopedSetting[] {
  return listing
    .split('\0')
    .filter(Boolean)
    .map((entry) => ({ scope, ...parseEntry(entry) }));
}

/**
 * What a git without scopes lists in a repository, in git's order: the repository's own settings are those that it
 * does not list elsewhere.
 *
 * @param elsewhere the settings of the system, the user and the environment. Exactly these are protected.
 */
export function inRepository(
  elsewhere: readonly ScopedSetting[],
  listed: readonly ScopedSetting[],
): ScopedSetting[] {
  const rest = [...elsewhere];
  const entries = listed.map((entry) => {
    const [next] = rest;
    return next && isSame(next, entry) ? (rest.shift() ?? entry) : entry;
  });
  if (rest.length === 0) return entries;
  // Their order differs, for example because the user's configuration includes files by folder.
  const left = [...elsewhere];
  const own = listed.filter((entry) => {
    const at = left.findIndex((one) => isSame(one, entry));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...elsewhere, ...own];
}

function isSame(one: ScopedSetting, other: ScopedSetting): boolean {
  return one.name === other.name && one.value === other.value;
}

function parseEntry(entry: string): Pick<ScopedSetting, 'name' | 'value'> {
  const end = entry.indexOf('\n');
  return end < 0
    ? { name: entry, value: undefined }
    : { name: entry.slice(0, end), value: entry.slice(end + 1) };
}

/** A variable without = is true and has no value to compare. */
export function settingsIn(entries: readonly Pick<ScopedSetting, 'name' | 'value'>[]): Settings {
  const settings = new Map<string, string[]>();
  for (const { name, value = '' } of entries) {
    const values = settings.get(name);
    if (values) values.push(value);
    else settings.set(name, [value]);
  }
  return settings;
}

/**
 * Whether git takes the value for true.
 *
 * @param value undefined: a name without a value
 * @source git-config(1), "Values", boolean
 */
export function isTrue(value: string | undefined): boolean {
  return value === undefined || /^(true|yes|on|[+-]?0*[1-9]\d*[kmg]?)$/i.test(value);
}

export type Scope = 'system' | 'global';

/** A setting and its new value; undefined: remove it. */
export interface Setting {
  readonly name: string;
  readonly value: string | undefined;
  /** A pattern. Existing values that match it are replaced; other values stay. */
  readonly among?: string | undefined;
}

export function canonicalName(name: string): string {
  const [, section = '', middle = '', variable = ''] = /^([^.]*)(.*)\.([^.]*)$/s.exec(name) ?? [];
  return `${section.toLowerCase()}${middle}.${variable.toLowerCase()}`;
}

/** The arguments for git config. */
export function writing({ name, value, among }: Setting, scope: Scope): string[] {
  const pattern = among === undefined ? [] : [among];
  if (value === undefined) return [`--${scope}`, '--unset-all', name, ...pattern];
  return [`--${scope}`, '--replace-all', name, value, ...pattern];
}
