/** The files of git's configuration (git-config(1), FILES). */
import { access, constants } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { Failure } from '../errors.ts';
import { git, refused, type GitOptions } from './config-file.ts';
import type { Scope } from './listing.ts';

/**
 * The file that git writes for this scope, whether it is there or not.
 *
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function fileOf(scope: Scope, options: GitOptions): Promise<string> {
  const [own = '', other] = await filesOf(scope, options);
  const usesOther = other !== undefined && !(await canRead(own)) && (await canRead(other));
  return usesOther ? other : own;
}

/**
 * All files that git reads for this scope. The first one is written, except where only the second one is there.
 *
 * @throws GIT_NOT_FOUND, INPUT_INVALID
 */
export async function filesOf(scope: Scope, options: GitOptions): Promise<string[]> {
  const { env } = options;
  const [named, without] =
    scope === 'system'
      ? (['GIT_CONFIG_SYSTEM', '/etc/gitconfig'] as const)
      : (['GIT_CONFIG_GLOBAL', '~/.gitconfig'] as const);
  if (env[named] !== undefined) {
    const hint = `write a path that begins with /, or unset ${named} for ${without}`;
    return [wholePath(named, env[named], hint)];
  }
  if (scope === 'system') return [await systemFile(options)];
  const hint = 'set HOME to the home folder of the user, or write --system for every user';
  if (env['HOME'] === undefined)
    throw new Failure('INPUT_INVALID', 'HOME is not set, so git has no global configuration', { hint });
  const home = wholePath('HOME', env['HOME'], hint);
  const xdg = env['XDG_CONFIG_HOME']
    ? wholePath('XDG_CONFIG_HOME', env['XDG_CONFIG_HOME'], 'write a path that begins with /, or unset it')
    : join(home, '.config');
  return [join(home, '.gitconfig'), join(xdg, 'git/config')];
}

/** git takes others relative to its working folder: another file in each folder, and none for an empty path. */
function wholePath(variable: string, path: string, hint: string): string {
  if (isAbsolute(path)) return path;
  const what = path === '' ? 'is empty' : `is no whole path: ${path}`;
  throw new Failure('INPUT_INVALID', `${variable} ${what}`, { hint });
}

async function canRead(path: string): Promise<boolean> {
  return await access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** Only git knows where it was built to look. It names the file to an editor, which is the shell's own echo here. */
async function systemFile({ env, signal }: GitOptions): Promise<string> {
  const finished = await git(['config', '--system', '--edit'], {
    env: { ...env, GIT_EDITOR: ': ; echo' },
    signal,
  });
  const file = finished.stdout.trimEnd();
  if (finished.exitCode !== 0 || file === '') throw refused('system', finished);
  return file;
}
