/** Reads git's configuration once, for all checks: the settings of this host, and every other setting of git. */
import { accessSync, constants } from 'node:fs';
import { isProtected, settingsIn, type Settings } from '../../src/git/listing.ts';
import { compile, type Compiled } from '../../src/host/compile.ts';
import { readRoutes, type Routes } from '../../src/host/credential-routes.ts';
import { listPlaced } from '../explain/surroundings.ts';
import type { PlacedSetting } from './setting-remedy.ts';

export interface Configuration {
  readonly entries: readonly PlacedSetting[];
  /** Whether git reported the scopes. */
  readonly scoped: boolean;
  /** The settings of all scopes, in git's order. */
  readonly all: Settings;
  /** The settings that the working directory's repository cannot change. */
  readonly trusted: Settings;
  /** The keys for git's commands in this working directory. */
  readonly compiled: Compiled;
}

export interface ConfigurationOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** @throws GIT_NOT_FOUND, INPUT_INVALID */
export async function readConfiguration(options: ConfigurationOptions): Promise<Configuration> {
  const { entries: listed, scoped, sources } = await listPlaced('.', options);
  const entries = listed.map((entry, index) => {
    const source = sources[index] ?? { name: entry.name, scope: entry.scope };
    return { ...entry, source, isWritable: isWritable(source.file) };
  });
  return {
    ...{ entries, scoped },
    all: settingsIn(entries),
    trusted: settingsIn(entries.filter(isProtected)),
    compiled: compile({ entries }, options.env, { byGit: true, jobRegion: '' }),
  };
}

function isWritable(file: string | undefined): boolean {
  try {
    if (file !== undefined) accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Without git, or if git cannot read its configuration, the environment's settings remain. */
export function withoutGit(env: ConfigurationOptions['env']): Configuration {
  const entries: Configuration['entries'] = [];
  const none = new Map<string, readonly string[]>();
  const compiled = compile({ entries }, env, { byGit: true, jobRegion: '' });
  return { entries, scoped: true, all: none, trusted: none, compiled };
}

/** The credentials for HTTPS. @throws INPUT_INVALID */
export function credentialRoutes({ trusted }: Configuration, env: ConfigurationOptions['env']): Routes {
  return readRoutes(trusted, env);
}
