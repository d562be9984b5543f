/** What git says about a destination here: URLs, remotes, and settings with their places. It connects to nothing. */
import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { listSettings, runGit } from '../../src/git/config-file.ts';
import type { Listing, ScopedSetting } from '../../src/git/listing.ts';
import { linesOfSetting } from '../../src/git/config-text.ts';
import type { Source } from '../../src/host/explain.ts';
import { definedIn } from '../../src/process/environment.ts';

export interface Asking {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/**
 * Variables that git takes from the programs that it starts as ssh. @source git's environment.c, local_repo_env; `git
 * rev-parse --local-env-vars`
 */
export const hiddenFromSsh = [
  'GIT_CONFIG',
  'GIT_CONFIG_PARAMETERS',
  'GIT_CONFIG_COUNT',
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
] as const;

/** The output without its last line end; undefined if git fails, which it does outside of a repository. */
export async function askGit(args: readonly string[], { env, signal }: Asking): Promise<string | undefined> {
  const finished = await runGit(args, { env: definedIn(env), signal });
  return finished.exitCode === 0 ? finished.stdout.replace(/\n$/, '') : undefined;
}

/** The URL that git would use: after `insteadOf`, or of the remote of that name. */
export async function rewrittenUrl(text: string, asking: Asking): Promise<string> {
  return (await askGit(['ls-remote', '--get-url', '--', text], asking)) ?? text;
}

/** The URLs of the repository's remotes. */
export async function remoteUrls(asking: Asking): Promise<string[]> {
  const listed = await askGit(['remote', '-v'], asking);
  return (listed ?? '').split('\n').flatMap((line) => line.split(/\s+/)[1] ?? []);
}

export interface PlacedListing extends Listing {
  /** In the order of the entries. */
  readonly sources: readonly Source[];
}

/** @param pattern as for listSettings */
export async function listPlaced(pattern: string, asking: Asking): Promise<PlacedListing> {
  const listing = await listSettings(pattern, { ...asking, origins: true });
  const top = await askGit(['rev-parse', '--show-toplevel'], asking);
  const texts = new Map<string, string | undefined>();
  for (const { origin } of listing.entries) {
    const file = fileOf(origin, top);
    if (file !== undefined && !texts.has(file))
      texts.set(file, await readFile(file, 'utf8').catch(() => undefined));
  }
  const sources = listing.entries.map((entry, index) => {
    const { name, scope, origin } = entry;
    const file = fileOf(origin, top);
    if (file === undefined)
      return { name, scope: scope === 'command' ? 'git -c or GIT_CONFIG_COUNT' : scope };
    return { name, scope, file, line: lineOf(listing.entries, index, texts.get(file)) };
  });
  return { ...listing, sources };
}

/** git names a file of the repository relative to the top of its work tree. */
function fileOf(origin: string | undefined, top: string | undefined): string | undefined {
  const [, path] = /^file:(.*)$/s.exec(origin ?? '') ?? [];
  if (path === undefined) return undefined;
  return isAbsolute(path) || top === undefined ? path : join(top, path);
}

/** The nth value of a name in a file is on the nth line that has the name, if there are as many lines as values. */
function lineOf(
  entries: readonly ScopedSetting[],
  index: number,
  text: string | undefined,
): number | undefined {
  const { name, origin } = entries[index] ?? {};
  if (text === undefined || name === undefined) return undefined;
  const isSame = (entry: ScopedSetting): boolean => entry.name === name && entry.origin === origin;
  const lines = linesOfSetting(text, name);
  if (lines.length !== entries.filter(isSame).length) return undefined;
  return lines[entries.slice(0, index).filter(isSame).length];
}
