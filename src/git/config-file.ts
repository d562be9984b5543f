/** Reads and writes git's configuration by running git (git-config(1)). */
import { Failure } from '../errors.ts';
import { definedIn } from '../process/environment.ts';
import { inTime } from '../process/in-time.ts';
import { ProgramNotFound } from '../process/program-not-found.ts';
import { run, type Finished } from '../process/run.ts';
import {
  inRepository,
  isProtected,
  parseScoped,
  parseUnscoped,
  parseWithOrigins,
  settingsIn,
  type Listing,
  type Scope,
  type Settings,
} from './listing.ts';

export interface GitOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Each wait for git is limited without it, too. */
  readonly signal?: AbortSignal | undefined;
}

/** `origins`: with the place of each setting, where git can tell it. */
export interface ListOptions extends GitOptions {
  readonly origins?: boolean;
}

/** @throws GIT_NOT_FOUND, INPUT_INVALID, TIMEOUT */
export async function readSettings(scope: Scope, options: GitOptions): Promise<Settings> {
  const finished = await git(['config', `--${scope}`, '--list', '-z'], options);
  const { exitCode, stdout, stderr } = finished;
  const absent = /unable to read config file .*No such file/.test(stderr);
  if (exitCode !== 0 && !absent) throw refused(scope, finished);
  return settingsIn(parseUnscoped(stdout, scope));
}

/**
 * The settings with matching names. A repository that cannot be read does not hide the settings of other scopes.
 *
 * @param pattern an extended regular expression, as for git config
 * @throws GIT_NOT_FOUND, INPUT_INVALID, TIMEOUT
 */
export async function listSettings(
  pattern: string,
  { env, signal, origins = false }: ListOptions,
): Promise<Listing> {
  // GIT_CONFIG adds a file with the scope of the environment. GIT_COMMON_DIR adds another repository's configuration.
  const known = { ...env, GIT_CONFIG: undefined };
  const here = { env: definedIn(known) };
  const nowhere = {
    env: definedIn({ ...known, GIT_DIR: '/dev/null', GIT_COMMON_DIR: undefined }),
    cwd: '/',
  };
  const ask = async (scopes: readonly string[], place: typeof here): Promise<Finished> =>
    await runGit(['config', ...scopes, '-z', '--get-regexp', pattern], { ...place, signal });
  // 1: no setting matches.
  const works = ({ exitCode }: Finished): boolean => exitCode <= 1;
  for (const options of [here, nowhere]) {
    const listed = await ask(['--show-scope', ...(origins ? ['--show-origin'] : [])], options);
    const parse = origins ? parseWithOrigins : parseScoped;
    if (works(listed)) return { entries: parse(listed.stdout), scoped: true };
  }
  // git before 2.26 does not report scopes.
  const [ofAll, withRepository] = await Promise.all([ask([], nowhere), ask([], here)]);
  if (works(ofAll)) {
    const elsewhere = parseUnscoped(ofAll.stdout, 'protected');
    const listed = parseUnscoped(withRepository.stdout, 'repository');
    return { entries: works(withRepository) ? inRepository(elsewhere, listed) : elsewhere, scoped: false };
  }
  throw new Failure('INPUT_INVALID', `git cannot read its configuration: ${saidBy(ofAll)}`, {
    hint: 'run git config --list to see the error',
  });
}

export interface ProtectedSettings {
  readonly settings: Settings;
  /** Settings of the working directory's repository that are ignored. */
  readonly ignored: readonly string[];
}

/**
 * `ssm.*` of the system, the user and the environment, in git's order.
 *
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function readProtectedSettings(options: GitOptions): Promise<ProtectedSettings> {
  const { entries } = await listSettings('^ssm\\.', options);
  const others = entries.filter((entry) => !isProtected(entry));
  return {
    settings: settingsIn(entries.filter(isProtected)),
    ignored: [...settingsIn(others).keys()],
  };
}

/** A value of core.sshCommand, and the file that has it. */
export interface ValueInFile {
  readonly file: string;
  readonly value: string;
}

/**
 * All values of a name of the system and the user, with their files, in git's order. Included files count.
 *
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function valuesInFiles(name: string, options: GitOptions): Promise<ValueInFile[]> {
  const { stdout } = await git(['config', '--show-origin', '-z', '--get-all', name], options);
  const parts = stdout.split('\0').slice(0, -1);
  return parts.flatMap((origin, index) =>
    index % 2 === 0 ? [{ file: origin.replace(/^file:/, ''), value: parts[index + 1] ?? '' }] : [],
  );
}

/**
 * As valuesInFiles, of one scope. By the difference of two lists, because git before 2.26 does not report scopes.
 *
 * @throws GIT_NOT_FOUND, INPUT_INVALID, TIMEOUT
 */
export async function valuesOfScope(
  name: string,
  { scope, ...options }: GitOptions & { readonly scope: Scope },
): Promise<ValueInFile[]> {
  const ofUser = await valuesInFiles(name, { ...options, env: { ...options.env, GIT_CONFIG_NOSYSTEM: '1' } });
  if (scope === 'global') return ofUser;
  const all = await valuesInFiles(name, options);
  return all.slice(0, all.length - ofUser.length);
}

export async function git(args: readonly string[], { env, signal }: GitOptions): Promise<Finished> {
  const names = [
    'PATH',
    'HOME',
    'XDG_CONFIG_HOME',
    'GIT_CONFIG_SYSTEM',
    'GIT_CONFIG_GLOBAL',
    'GIT_CONFIG_NOSYSTEM',
    'GIT_EDITOR',
  ];
  const known = definedIn(Object.fromEntries(names.map((name) => [name, env[name]])));
  // Messages in English, because they are matched here. Outside of a repository, because git may not trust one.
  return await runGit(args, { env: { ...known, LC_ALL: 'C' }, limits: env, signal, cwd: '/' });
}

interface GitRun extends Pick<GitOptions, 'signal'> {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Where SSM_SSH_TIMEOUT is. Default: the same. */
  readonly limits?: GitOptions['env'];
  /** Default: this process's own. */
  readonly cwd?: string;
}

/** @throws GIT_NOT_FOUND, TIMEOUT, the signal's reason */
export async function runGit(
  args: readonly string[],
  { env, limits = env, signal, cwd }: GitRun,
): Promise<Finished> {
  const program = `git ${args[0] ?? ''}`;
  return await inTime({ program, env: limits, signal }, (limited) =>
    run(['git', ...args], { env, cwd, signal: limited }),
  ).catch(notFound);
}

/** @throws the given error, or GIT_NOT_FOUND */
export function notFound(error: unknown): never {
  if (!(error instanceof ProgramNotFound)) throw error;
  const hint = 'install git: apt-get install git, dnf install git, or apk add git';
  throw new Failure('GIT_NOT_FOUND', error.message, { hint, cause: error });
}

/** What git said where it did not read its configuration. */
export function refused(scope: Scope, finished: Finished): Failure {
  const { stderr } = finished;
  const said = saidBy(finished);
  const hint = /ermission denied/.test(stderr)
    ? scope === 'system'
      ? 'run it as root (sudo), or write --global for this user only'
      : 'see who may read it: ls -ld ~/.gitconfig ~/.config/git/config'
    : `run git config --${scope} --list to see the error`;
  return new Failure('INPUT_INVALID', `git cannot read its ${scope} configuration: ${said}`, { hint });
}

/** A git that was killed says nothing. */
function saidBy({ exitCode, stderr }: Finished): string {
  return stderr.trim().replace(/\s+/g, ' ') || `git config ended with exit code ${exitCode}`;
}
