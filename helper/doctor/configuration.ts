/** Reads git's configuration once, for all checks: the settings of this host, and every other setting of git. */
import { listSettings } from '../../src/git/config-file.ts';
import { isProtected, settingsIn, type Listing, type Settings } from '../../src/git/listing.ts';
import { compile, type Compiled } from '../../src/host/compile.ts';
import { readRoutes, type Routes } from '../../src/host/credential-routes.ts';

export interface Configuration extends Listing {
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
  const { entries, scoped } = await listSettings('.', options);
  return {
    ...{ entries, scoped },
    all: settingsIn(entries),
    trusted: settingsIn(entries.filter(isProtected)),
    compiled: compile({ entries }, options.env, { byGit: true, jobRegion: '' }),
  };
}

/** Without git, or if git cannot read its configuration, the environment's settings remain. */
export function withoutGit(env: ConfigurationOptions['env']): Configuration {
  const entries: Listing['entries'] = [];
  const none = new Map<string, readonly string[]>();
  const compiled = compile({ entries }, env, { byGit: true, jobRegion: '' });
  return { entries, scoped: true, all: none, trusted: none, compiled };
}

/** The credentials for HTTPS. @throws INPUT_INVALID */
export function credentialRoutes({ trusted }: Configuration, env: ConfigurationOptions['env']): Routes {
  return readRoutes(trusted, env);
}
