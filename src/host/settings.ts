/** The settings of a host. All programs use this one rule of precedence; docs/ec2.md has the table. Pure. */
import { Failure } from '../errors.ts';
import { isTrue, type Settings } from '../git/listing.ts';
import { matchRoutes, parseRepositoryPattern, type Remote, type RepositoryPattern } from '../keys/routes.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** As written. */
export interface HostSettings {
  readonly region: string | undefined;
  /** ARNs, each assumed with the one before. */
  readonly roles: readonly string[];
  readonly timeout: string;
  readonly via: string | undefined;
  /** The address of a cache on this machine that is asked instead of AWS. */
  readonly cache: string | undefined;
}

/**
 * A section's own setting takes precedence over the environment variable, and the variable over `[ssm]`. An empty value
 * counts as not set.
 */
export function settingsOf(settings: Settings, env: Environment, section?: string): HostSettings {
  const own = (name: string): string =>
    section === undefined ? '' : join(settings.get(`ssm.${section}.${name}`), name);
  const setting = (name: string, variable: string): string =>
    own(name) || (env[variable] ?? '') || join(settings.get(`ssm.${name}`), name);
  return {
    region: setting('region', 'SSM_SSH_REGION') || undefined,
    roles: rolesIn(setting('rolearn', 'SSM_SSH_ROLE_ARN')),
    timeout: setting('timeout', 'SSM_SSH_TIMEOUT') || '30s',
    via: setting('via', 'SSM_SSH_VIA') || undefined,
    cache: setting('cache', 'SSM_SSH_CACHE') || undefined,
  };
}

/** A cache has credentials of its own. So what is to be read with a role is read from AWS. */
export function isCached({
  cache,
  roles,
}: {
  readonly cache?: unknown;
  readonly roles: readonly string[];
}): boolean {
  return cache !== undefined && roles.length === 0;
}

/** The references of a key, and its lifetime. As written; empty: not set. */
export interface KeySettings {
  readonly reference: string;
  readonly passphrase: string;
  readonly certificate: string;
  readonly lifetime: string;
}

/**
 * The settings of a section, or of the default key. A passphrase and a certificate belong to one key: a section does
 * not inherit those of `[ssm]`.
 */
export function keySettingsOf(settings: Settings, env: Environment, section?: string): KeySettings {
  const last = (name: string): string => settings.get(name)?.at(-1) ?? '';
  const own = (name: string, variable: string): string =>
    section === undefined ? env[variable] || last(`ssm.${name}`) : last(`ssm.${section}.${name}`);
  return {
    reference: own('key', 'SSM_SSH_KEY'),
    passphrase: own('passphrase', 'SSM_SSH_PASSPHRASE'),
    certificate: own('certificate', 'SSM_SSH_CERTIFICATE'),
    lifetime:
      (section !== undefined && last(`ssm.${section}.keylifetime`)) ||
      env['SSM_SSH_KEY_LIFETIME'] ||
      last('ssm.keylifetime') ||
      '1h',
  };
}

/** For all connections. Empty: not set. */
export interface HostKeySettings {
  /** A path. */
  readonly knownHosts: string;
  readonly strict: string;
}

export function hostKeySettings(settings: Settings, env: Environment): HostKeySettings {
  const setting = (name: string, variable: string): string =>
    env[variable] || (settings.get(`ssm.${name}`)?.at(-1) ?? '');
  return {
    knownHosts: setting('knownhosts', 'SSM_SSH_KNOWN_HOSTS'),
    strict: setting('stricthostkeychecking', 'SSM_SSH_STRICT_HOST_KEY_CHECKING'),
  };
}

/** Separated by commas or white space. A role's name may have a comma, so only one before the next ARN separates. */
export function rolesIn(text: string): string[] {
  return text.split(/\s|,(?=[\s,]*(?:arn:|$))/).filter(Boolean);
}

/** Several roles may be written as several values. Of all other settings the last value counts, as in git. */
function join(values: readonly string[] = [], name: string): string {
  return name === 'rolearn' ? values.join(' ') : (values.at(-1) ?? '');
}

/** Whether git may reach an EC2 host that no section names. */
export function allowsEc2Remotes(settings: Settings, env: Environment): boolean {
  const said = env['SSM_SSH_EC2_REMOTES'] || settings.get('ssm.ec2remotes')?.at(-1) || '';
  return isTrue(said);
}

/** The first section with a key that matches the remote. */
export function sectionFor(settings: Settings, remote: Remote, port: number): string | undefined {
  const routes = sectionsWith(settings, 'key').flatMap((section) => {
    const pattern = patternOf(section);
    return pattern ? [{ key: section, repositories: [pattern] }] : [];
  });
  return matchRoutes(routes, remote, port)[0];
}

/** The names of the sections that set the variable. */
export function sectionsWith(settings: Settings, variable: string): string[] {
  return [...settings.keys()].flatMap((name) =>
    name.startsWith('ssm.') && name.endsWith(`.${variable}`) && name.length > `ssm..${variable}`.length
      ? name.slice('ssm.'.length, -`.${variable}`.length)
      : [],
  );
}

/** undefined if the section names no repository. */
export function patternOf(section: string): RepositoryPattern | undefined {
  try {
    return parseRepositoryPattern(section);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
