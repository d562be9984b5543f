/** Reads and writes git's configuration by running git (git-config(1)). */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
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
 * The settings with matching names. A repository that cannot be read does not hide the settings of other scopes.
 *
 * @param pattern an extended regular expression, as for git config
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function listSettings(pattern: string, { env, signal }: GitOptions): Promise<Listing> {
  // GIT_CONFIG adds a file with the scope of the environment. GIT_COMMON_DIR adds another repository's configuration.
  const known = { ...env, GIT_CONFIG: undefined };
  const here = { env: defined(known), signal };
  const nowhere = {
    env: defined({ ...known, GIT_DIR: '/dev/null', GIT_COMMON_DIR: undefined }),
    ...{ signal, cwd: '/' },
  };
  const ask = async (scopes: readonly string[], options: Parameters<typeof run>[1]): Promise<Finished> =>
    await run(['git', 'config', ...scopes, '-z', '--get-regexp', pattern], options).catch(notFound);
  // 1: no setting matches.
  const works = ({ exitCode }: Finished): boolean => exitCode <= 1;
  for (const options of [here, nowhere]) {
    const listed = await ask(['--show-scope'], options);
    if (works(listed)) return { entries: parseScoped(listed.stdout), scoped: true };
  }
  // git before 2.26 does not report scopes.
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
  const finished = await git(['config', ...writing(setting, scope)], options);
  if (finished.exitCode !== 0) throw refused('write', scope, finished);
}

/**
 * The file that git reads and writes for this scope, whether it is there or not.
 *
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function fileOf(scope: Scope, options: GitOptions): Promise<string> {
  const { env } = options;
  if (scope === 'system') return await systemFile(options);
  if (env['GIT_CONFIG_GLOBAL']) return env['GIT_CONFIG_GLOBAL'];
  // git-config(1), FILES: the second one only where it is there, and the first is not.
  const home = env['HOME'] ?? '';
  const [own, other] = [
    join(home, '.gitconfig'),
    join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git/config'),
  ];
  const canRead = async (path: string): Promise<boolean> =>
    await access(path, constants.R_OK).then(
      () => true,
      () => false,
    );
  return !(await canRead(own)) && (await canRead(other)) ? other : own;
}

/** Only git knows where it was built to look. It names the file to an editor, which is the shell's own echo here. */
async function systemFile({ env, signal }: GitOptions): Promise<string> {
  const finished = await git(['config', '--system', '--edit'], {
    env: { ...env, GIT_EDITOR: ': ; echo' },
    signal,
  });
  const file = finished.stdout.trimEnd();
  if (finished.exitCode !== 0 || file === '') throw refused('read', 'system', finished);
  return file;
}

async function git(args: readonly string[], { env, signal }: GitOptions): Promise<Finished> {
  const names = [
    'PATH',
    'HOME',
    'XDG_CONFIG_HOME',
    'GIT_CONFIG_SYSTEM',
    'GIT_CONFIG_GLOBAL',
    'GIT_CONFIG_NOSYSTEM',
    'GIT_EDITOR',
  ];
  const known = defined(Object.fromEntries(names.map((name) => [name, env[name]])));
  // Messages in English, because they are matched here. Outside of a repository, because git may not trust one.
  return await run(['git', ...args], { env: { ...known, LC_ALL: 'C' }, signal, cwd: '/' }).catch(notFound);
}

/** @throws the given error, or GIT_NOT_FOUND */
export function notFound(error: unknown): never {
  if (!(error instanceof ProgramNotFound)) throw error;
  const hint = 'install git: apt-get install git, dnf install git, or apk add git';
  throw new Failure('GIT_NOT_FOUND', error.message, { hint, cause: error });
}

function refused(what: 'read' | 'write', scope: Scope, { stderr }: Finished): Failure {
  const said = stderr.trim().replace(/\s+/g, ' ');
  const hint = /ermission denied/.test(stderr)
    ? 'run it as root (sudo), or write --global for this user only'
    : `run git config --${scope} --list to see the error`;
  return new Failure('INPUT_INVALID', `git cannot ${what} its ${scope} configuration: ${said}`, { hint });
}
