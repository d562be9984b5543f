/** Links the completions and the manual page to where shells and man(1) look for them, and removes the links. */
import { readlink, stat, symlink, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { visible } from '../../src/keys/visible-text.ts';
import type { Running } from '../command-line/command.ts';

/** In share/ and below each folder of XDG_DATA_DIRS. build/share writes them. */
export const shareFiles = [
  'bash-completion/completions/ssm-ssh-agent',
  'fish/vendor_completions.d/ssm-ssh-agent.fish',
  'man/man1/ssm-ssh-agent.1',
  'zsh/site-functions/_ssm-ssh-agent',
] as const;

type Env = Readonly<Record<string, string | undefined>>;

/** Nothing that git needs: a folder that cannot be written is a warning. */
export async function linkAndReport(
  { installation, env, err }: Pick<Running, 'installation' | 'env' | 'err'>,
  { quiet }: { readonly quiet: boolean },
): Promise<void> {
  try {
    const linked = await linkShellFiles(installation, env);
    if (linked.length > 0 && !quiet) err(listed('completions and the manual page are linked:', linked));
  } catch (error) {
    if (!quiet) err(failed('were not linked', error));
  }
}

export async function unlinkAndReport(
  { installation, env, err }: Pick<Running, 'installation' | 'env' | 'err'>,
  { quiet, dryRun }: { readonly quiet: boolean; readonly dryRun: boolean },
): Promise<void> {
  try {
    const found = await unlinkShellFiles(installation, env, dryRun);
    if (found.length > 0 && !quiet)
      err(listed(dryRun ? 'these links would be removed:' : 'these links are removed:', found));
  } catch (error) {
    if (!quiet) err(failed('are still linked', error));
  }
}

function listed(what: string, paths: readonly string[]): string {
  return `${[`ssm-ssh-agent: ${what}`, ...paths.map((path) => visible(`  ${path}`))].join('\n')}\n`;
}

function failed(what: string, error: unknown): string {
  const why = error instanceof Error ? error.message : '';
  return `ssm-ssh-agent: warning: completions and the manual page ${what}: ${visible(why)}\n`;
}

/**
 * A shell that is not installed has no folder, and gets no link. A file of the same name that is not our link stays.
 *
 * @param installation the folder that has share/ in it
 * @returns the links that were made or that now lead to this installation
 */
export async function linkShellFiles(installation: string, env: Env): Promise<string[]> {
  const linked: string[] = [];
  for (const file of shareFiles) {
    const folder = await firstFolder(dataFolders(env).map((data) => join(data, dirname(file))));
    if (folder === undefined) continue;
    const path = join(folder, file.slice(dirname(file).length + 1));
    const target = join(installation, 'share', file);
    const there = await readlink(path).catch((error: unknown) => (isMissing(error) ? undefined : ''));
    if (there === target) continue;
    if (there !== undefined && !(await isOurs(there, file, installation))) continue;
    if (there !== undefined) await unlink(path);
    await symlink(target, path);
    linked.push(path);
  }
  return linked;
}

/** @returns the links that led to an installation of this program, and are removed; with `dryRun`, that would be */
export async function unlinkShellFiles(installation: string, env: Env, dryRun: boolean): Promise<string[]> {
  const found: string[] = [];
  for (const file of shareFiles) {
    for (const path of dataFolders(env).map((data) => join(data, file))) {
      const there = await readlink(path).catch(() => undefined);
      if (there === undefined || !(await isOurs(there, file, installation))) continue;
      if (!dryRun) await unlink(path);
      found.push(path);
    }
  }
  return found;
}

/**
 * None with GIT_CONFIG_SYSTEM alone: then this is not the real configuration of the host.
 *
 * @source XDG Base Directory Specification, `XDG_DATA_DIRS`, which bash-completion, fish and man-db follow
 */
function dataFolders({ XDG_DATA_DIRS: given, GIT_CONFIG_SYSTEM: redirected }: Env): string[] {
  if (!given) return redirected === undefined ? ['/usr/local/share', '/usr/share'] : [];
  return given.split(':').filter((folder) => folder.startsWith('/'));
}

async function firstFolder(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await stat(path).then(
        (there) => there.isDirectory(),
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/**
 * Whether a link is one of setup's: it leads to this installation, or to one of this package that is gone. A link of a
 * package manager, or of somebody's own, leads to a file that is there.
 */
async function isOurs(target: string, file: string, installation: string): Promise<boolean> {
  if (target === join(installation, 'share', file)) return true;
  if (!target.startsWith('/') || !target.endsWith(`/ssm-ssh-agent/share/${file}`)) return false;
  return await stat(target).then(
    () => false,
    (error: unknown) => isMissing(error),
  );
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
