/** git's configuration, read and written by git itself (git-config(1)). */
import { Failure } from '../errors.ts';
import { ProgramNotFound, run, type Finished } from '../process/run.ts';

export type Scope = 'system' | 'global';

export interface GitOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A setting, and what it is to be; undefined: not there. */
export interface Setting {
  readonly name: string;
  readonly value: string | undefined;
  /** A pattern: of the values that are there, it replaces those that match, and stands beside the others. */
  readonly among?: string | undefined;
}

/** As git lists them: section and variable in lower case, what stands between as it is. */
export type Settings = ReadonlyMap<string, readonly string[]>;

export function canonicalName(name: string): string {
  const [, section = '', middle = '', variable = ''] = /^([^.]*)(.*)\.([^.]*)$/s.exec(name) ?? [];
  return `${section.toLowerCase()}${middle}.${variable.toLowerCase()}`;
}

/** @throws GIT_NOT_FOUND, INPUT_INVALID */
export async function readSettings(scope: Scope, options: GitOptions): Promise<Settings> {
  const finished = await git(['config', `--${scope}`, '--list', '-z'], options);
  const { exitCode, stdout, stderr } = finished;
  const absent = /unable to read config file .*No such file/.test(stderr);
  if (exitCode !== 0 && !absent) throw refused('read', scope, finished);
  return parseSettings(stdout);
}

/** What `git config -z` lists. */
function parseSettings(listing: string): Settings {
  const settings = new Map<string, string[]>();
  for (const entry of listing.split('\0').filter(Boolean)) {
    // A variable without = is true, and has no value to compare.
    const [, name = '', value = ''] = /^([^\n]*)\n?(.*)$/s.exec(entry) ?? [];
    settings.set(name, [...(settings.get(name) ?? []), value]);
  }
  return settings;
}

export interface ProtectedSettings {
  readonly settings: Settings;
  /** Names that the repository of the working directory has, which do not count. */
  readonly ignored: readonly string[];
}

/**
 * `ssm.*` of system, global and the environment, in git's order. What the repository of the working directory says is left
 * out: somebody else may have filled that folder (git-config(1), "protected configuration").
 *
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function readProtectedSettings({ env, signal }: GitOptions): Promise<ProtectedSettings> {
  // GIT_CONFIG is a file whose values would have the scope of the environment; in a repository, GIT_COMMON_DIR has another.
  const known = { ...env, GIT_CONFIG: undefined };
  const ask = (args: readonly string[], options: Parameters<typeof run>[1]): Promise<Finished> =>
    run(['git', 'config', ...args], options).catch(notFound);
  const listing = ['-z', '--get-regexp', '^ssm\\.'];
  const scoped = await ask(['--show-scope', ...listing], { env: defined(known), signal });
  // 1: there is none.
  if (scoped.exitCode <= 1) return byScope(scoped.stdout);
  // The repository cannot be read; or git is older than 2.26, and tells no scopes.
  const nowhere = defined({ ...known, GIT_DIR: '/dev/null', GIT_COMMON_DIR: undefined });
  const plain = await ask(listing, { env: nowhere, signal, cwd: '/' });
  if (plain.exitCode <= 1) return { settings: parseSettings(plain.stdout), ignored: [] };
  const said = plain.stderr.trim().replace(/\s+/g, ' ');
  throw new Failure('INPUT_INVALID', `git cannot read its configuration: ${said}`, {
    hint: 'see what git says: git config --list',
  });
}

/** What `git config -z --show-scope` lists. `local`, `worktree` and what later gits may add are the repository's. */
function byScope(listing: string): ProtectedSettings {
  const parts = listing.split('\0').slice(0, -1);
  const entries = parts.flatMap((part, index) =>
    index % 2 === 0 ? [{ scope: part, entry: parts[index + 1] ?? '' }] : [],
  );
  const listed = (isWanted: (scope: string) => boolean): Settings =>
    parseSettings(
      entries
        .filter(({ scope }) => isWanted(scope))
        .map(({ entry }) => `${entry}\0`)
        .join(''),
    );
  const isProtected = (scope: string): boolean => ['system', 'global', 'command'].includes(scope);
  return {
    settings: listed(isProtected),
    ignored: [...listed((scope) => !isProtected(scope)).keys()],
  };
}

function defined(env: GitOptions['env']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** @throws GIT_NOT_FOUND, INPUT_INVALID */
export async function writeSetting(setting: Setting, scope: Scope, options: GitOptions): Promise<void> {
  const finished = await git(['config', ...writing(setting, scope)], {
    ...options,
    forAll: scope === 'system',
  });
  if (finished.exitCode !== 0) throw refused('write', scope, finished);
}

/** What git config is told. */
export function writing({ name, value, among }: Setting, scope: Scope): string[] {
  if (value === undefined) return [`--${scope}`, '--unset-all', name];
  return [`--${scope}`, '--replace-all', name, value, ...(among === undefined ? [] : [among])];
}

/** The file of the system's configuration, or undefined where there is none. */
export async function systemFile(options: GitOptions): Promise<string | undefined> {
  const { stdout } = await git(['config', '--system', '--show-origin', '--list', '-z'], options);
  return /^file:([^\0]+)\0/.exec(stdout)?.[1];
}

/** git makes a new file by the umask of whoever runs it: one that others cannot read would end every git of theirs. */
const readableForAll = ['sh', '-c', 'umask 022 && exec "$@"', 'sh'];

interface Running extends GitOptions {
  readonly forAll?: boolean;
}

async function git(args: readonly string[], { env, signal, forAll = false }: Running): Promise<Finished> {
  const names = [
    'PATH',
    'HOME',
    'XDG_CONFIG_HOME',
    'GIT_CONFIG_SYSTEM',
    'GIT_CONFIG_GLOBAL',
    'GIT_CONFIG_NOSYSTEM',
  ];
  const known = defined(Object.fromEntries(names.map((name) => [name, env[name]])));
  // In the language that is matched here; and in no repository, which git might not trust.
  const [program = 'git', ...words] = [...(forAll ? readableForAll : []), 'git', ...args];
  return await run([program, ...words], { env: { ...known, LC_ALL: 'C' }, signal, cwd: '/' }).catch(notFound);
}

/** @throws what it is given, or GIT_NOT_FOUND */
export function notFound(error: unknown): never {
  if (!(error instanceof ProgramNotFound)) throw error;
  const hint = 'install git: apt-get install git, dnf install git, or apk add git';
  throw new Failure('GIT_NOT_FOUND', error.message, { hint, cause: error });
}

function refused(what: 'read' | 'write', scope: Scope, { stderr }: Finished): Failure {
  const said = stderr.trim().replace(/\s+/g, ' ');
  const hint = /ermission denied/.test(stderr)
    ? 'run it as root (sudo), or write --global for this user alone'
    : `see what git says: git config --${scope} --list`;
  return new Failure('INPUT_INVALID', `git cannot ${what} its ${scope} configuration: ${said}`, { hint });
}
