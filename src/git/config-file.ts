/** git's configuration, read and written by git itself (git-config(1)). */
import { Failure } from '../errors.ts';
import { ProgramNotFound, run, type Finished } from '../process/run.ts';
import {
  isProtected,
  parseScoped,
  parseUnscoped,
  settingsIn,
  writing,
  type Listing,
  type Scope,
  type Setting,
  type Settings,
} from './listing.ts';

export interface GitOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** @throws GIT_NOT_FOUND, INPUT_INVALID */
export async function readSettings(scope: Scope, options: GitOptions): Promise<Settings> {
  const finished = await git(['config', `--${scope}`, '--list', '-z'], options);
  const { exitCode, stdout, stderr } = finished;
  const absent = /unable to read config file .*No such file/.test(stderr);
  if (exitCode !== 0 && !absent) throw refused('read', scope, finished);
  return settingsIn(parseUnscoped(stdout, scope));
}

/**
 * The settings whose names match. A repository that cannot be read takes nothing away from the others.
 *
 * @param pattern an extended regular expression, as git config takes it
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function listSettings(pattern: string, { env, signal }: GitOptions): Promise<Listing> {
  // GIT_CONFIG is a file whose values would have the scope of the environment; in a repository, GIT_COMMON_DIR has another.
  const known = { ...env, GIT_CONFIG: undefined };
  const here = { env: defined(known), signal };
  const nowhere = {
    env: defined({ ...known, GIT_DIR: '/dev/null', GIT_COMMON_DIR: undefined }),
    ...{ signal, cwd: '/' },
  };
  const ask = async (scopes: readonly string[], options: Parameters<typeof run>[1]): Promise<Finished> =>
    await run(['git', 'config', ...scopes, '-z', '--get-regexp', pattern], options).catch(notFound);
  // 1: there is none.
  const works = ({ exitCode }: Finished): boolean => exitCode <= 1;
  for (const options of [here, nowhere]) {
    const listed = await ask(['--show-scope'], options);
    if (works(listed)) return { entries: parseScoped(listed.stdout), scoped: true };
  }
  // git is older than 2.26, and tells no scopes.
  const [ofAll, withRepository] = await Promise.all([ask([], nowhere), ask([], here)]);
  if (works(ofAll)) {
    const entries = [
      ...parseUnscoped(ofAll.stdout, 'protected'),
      ...(works(withRepository) ? parseUnscoped(withRepository.stdout, 'repository') : []),
    ];
    return { entries, scoped: false };
  }
  const said = ofAll.stderr.trim().replace(/\s+/g, ' ');
  throw new Failure('INPUT_INVALID', `git cannot read its configuration: ${said}`, {
    hint: 'see what git says: git config --list',
  });
}

export interface ProtectedSettings {
  readonly settings: Settings;
  /** Names that the repository of the working directory has, which do not count. */
  readonly ignored: readonly string[];
}

/**
 * `ssm.*` of system, global and the environment, in git's order.
 *
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function readProtectedSettings(options: GitOptions): Promise<ProtectedSettings> {
  const { entries, scoped } = await listSettings('^ssm\\.', options);
  const others = scoped ? entries.filter((entry) => !isProtected(entry)) : [];
  return {
    settings: settingsIn(entries.filter(isProtected)),
    ignored: [...settingsIn(others).keys()],
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
