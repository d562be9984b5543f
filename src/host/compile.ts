/** Compiles the configuration of a host to what helper/ssm-ssh reads. Pure. */
import { createHash } from 'node:crypto';
import { settingsIn, isProtected, type Listing, type ScopedSetting } from '../git/listing.ts';
import { parseLifetime } from '../keys/lifetime.ts';
import { parseReference } from '../keys/reference.ts';
import { matchRoutes, renderRoutes, type Remote, type RepositoryPattern } from '../keys/routes.ts';
import { looksSecret } from '../keys/secret-text.ts';
import { quoted } from '../process/quote.ts';
import { sshPath } from '../ssh/ssh-path.ts';
import {
  allowsEc2Remotes,
  hostKeySettings,
  keySettingsOf,
  patternOf,
  sectionsWith,
  settingsOf,
  type Environment,
  type HostKeySettings,
  type HostSettings,
  type KeySettings,
} from './settings.ts';

/** The pattern for `git config --get-regexp`. helper/ssm-ssh-host.sh has the same pattern. */
export const askedSettings = '^(ssm\\.|core\\.sshcommand$)';

/** The variables that change the choice of the key, or how it is read. helper/ssm-ssh-host.sh has the same list. */
export const surroundings = [
  ...[
    'HOME',
    'SSM_SSH_KEY',
    'SSM_SSH_PASSPHRASE',
    'SSM_SSH_CERTIFICATE',
    'SSM_SSH_REGION',
    'SSM_SSH_ROLE_ARN',
  ],
  ...['SSM_SSH_KEY_LIFETIME', 'SSM_SSH_KNOWN_HOSTS', 'SSM_SSH_STRICT_HOST_KEY_CHECKING', 'SSM_SSH_TIMEOUT'],
  ...['SSM_SSH_VIA', 'SSM_SSH_EC2_REMOTES', 'GIT_CONFIG_COUNT', 'GIT_CONFIG_PARAMETERS'],
  ...[
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
    'AWS_PROFILE',
    'AWS_ROLE_ARN',
    'AWS_ACCESS_KEY_ID',
    'AWS_CONFIG_FILE',
  ],
  ...['AWS_SHARED_CREDENTIALS_FILE', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'],
  ...['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SSM'],
  ...['AWS_ENDPOINT_URL_SECRETS_MANAGER', 'AWS_ENDPOINT_URL_STS', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'],
  ...['AWS_EC2_METADATA_SERVICE_ENDPOINT', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'],
] as const;

/** What helper/ssm-ssh knows about the connection. */
export interface Connection {
  /** Whether git started ssm-ssh. Only then may the repository of the working directory choose the key. */
  readonly byGit: boolean;
  /** The action's Region; empty if there is none. */
  readonly jobRegion: string;
  /**
   * The folder of the AWS SDK's files. undefined: there is none, so a login and a service without HOME share their
   * keys.
   */
  readonly awsFiles?: string | undefined;
}

export interface HostKey extends KeySettings {
  /** A hash of the references, the credentials and the Region: the same reference read elsewhere is another key. */
  readonly name: string;
  readonly place: HostSettings;
  /** The part of its names between `ssm.` and the last dot. undefined: the default key. */
  readonly section?: string;
  /** undefined: the default key. */
  readonly pattern?: RepositoryPattern;
  /** Whether a protected section names it (git-config(1), "protected configuration"). */
  readonly isProtected: boolean;
}

export interface Compiled extends HostKeySettings {
  readonly keys: readonly HostKey[];
  /** Settings for EC2 hosts that no section names. */
  readonly place: HostSettings;
  readonly ec2Remotes: boolean;
  /** git's core.sshCommand. */
  readonly command: string;
  readonly warnings: readonly string[];
  /** The names of ignored settings of the repository. */
  readonly ignored: readonly string[];
}

/** The settings that a repository may choose, in `[ssm]` and in a section. */
const choices = ['key', 'passphrase', 'certificate', 'keylifetime'];

/** Settings with capitals in the documentation. */
const writtenNames: Readonly<Record<string, string>> = {
  ...{ region: 'region', rolearn: 'roleArn', knownhosts: 'knownHosts', timeout: 'timeout', via: 'via' },
  ...{ stricthostkeychecking: 'strictHostKeyChecking', ec2remotes: 'ec2Remotes' },
};

export function compile(
  { entries }: Pick<Listing, 'entries'>,
  env: Environment,
  { byGit, jobRegion, awsFiles }: Connection,
): Compiled {
  const counts = (entry: ScopedSetting): boolean => isProtected(entry) || (byGit && isChoice(entry.name));
  const settings = settingsIn(entries.filter(counts));
  const trusted = settingsIn(entries.filter(isProtected));
  const warnings: string[] = [];
  const keyOf = (section: string | undefined): Omit<HostKey, 'section' | 'pattern' | 'isProtected'> => {
    const key = keySettingsOf(settings, env, section);
    const configured = settingsOf(settings, env, section);
    const place = { ...configured, region: configured.region ?? (jobRegion || undefined) };
    return { ...key, place, name: nameOf(key, place, { env, awsFiles }) };
  };
  const sections = sectionsWith(settings, 'key').flatMap((section) => {
    const pattern = patternOf(section);
    if (!pattern) {
      // The part before an @ may be a password.
      const shown = section.slice(section.lastIndexOf('@') + 1);
      warnings.push(`the section [ssm "${shown}"] of git's configuration names no repository: it is ignored`);
      return [];
    }
    const names = { ...keyOf(section), section, pattern, isProtected: trusted.has(`ssm.${section}.key`) };
    // As elsewhere in git, an empty value removes the value of a less specific file.
    return names.reference === '' ? [] : [names];
  });
  const byDefault = keyOf(undefined);
  return {
    keys: [...sections, ...(byDefault.reference === '' ? [] : [{ ...byDefault, isProtected: true }])],
    place: byDefault.place,
    ...hostKeySettings(settings, env),
    ec2Remotes: allowsEc2Remotes(trusted, env),
    command: settings.get('core.sshcommand')?.at(-1) ?? '',
    warnings,
    ignored: writtenNamesOf(entries.filter(isIgnored)),
  };
}

/** Whether it is a setting of the repository that does not count. */
export function isIgnored(entry: ScopedSetting): boolean {
  const { name } = entry;
  if (isProtected(entry) || isChoice(name)) return false;
  return name.startsWith('ssm.') && writtenNames[lastPart(name)] !== undefined;
}

/** Whether the repository may choose it, too. */
export function isChoice(name: string): boolean {
  return name === 'core.sshcommand' || (name.startsWith('ssm.') && choices.includes(lastPart(name)));
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Each name only once. */
function writtenNamesOf(entries: readonly ScopedSetting[]): string[] {
  const names = entries.flatMap(({ name }) => {
    const written = writtenNames[lastPart(name)];
    if (written === undefined) return [];
    return [name.split('.').length > 2 ? `ssm.*.${written}` : `ssm.${written}`];
  });
  return [...new Set(names)];
}

/** Lines for standard error. */
function told({ ignored, warnings }: Compiled): string[] {
  const lines = ignored.map(
    (name) => `ssm-ssh: warning: ${name} of the repository's own configuration is ignored`,
  );
  const hint = 'hint: set it with git config --global or --system, or set its environment variable';
  return [...lines, ...(lines.length > 0 ? [hint] : []), ...warnings.map((text) => `ssm-ssh: ${text}`)];
}

/** The id of an access key stands for the secret key. */
function nameOf(
  { reference, passphrase, certificate }: KeySettings,
  place: HostSettings,
  { env, awsFiles }: { readonly env: Environment; readonly awsFiles: string | undefined },
): string {
  const region = place.region ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION']);
  const caller = surroundings.filter((name) => name.startsWith('AWS_') && !name.endsWith('REGION'));
  const parts = [
    ...[reference, passphrase, certificate, region, place.roles, awsFiles],
    caller.map((name) => env[name]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** The keys that ssm-ssh offers; if several keys have the same pattern, all of them. */
export function pick({ keys }: Pick<Compiled, 'keys'>, remote: Remote): HostKey[] {
  const routes = keys.map((key) => ({ key, repositories: key.pattern ? [key.pattern] : [] }));
  return matchRoutes(routes, remote, sshPort);
}

const sshPort = 22;

/** The format of the compiled files. Files of other versions never match. */
const format = 2;

/**
 * The output of `git config` as the shell has it, and the surroundings. The shell only compares this text. undefined:
 * do not cache.
 */
export function textOf(
  { entries, scoped }: Listing,
  env: Environment,
  { byGit, jobRegion }: Connection,
): string | undefined {
  const known = surroundings.flatMap((name) => (env[name] === undefined ? [] : [`${name}=${env[name]}`]));
  const listed = entries.map(
    ({ scope, name, value }) => `${scope}\t${name}${value === undefined ? '' : ` ${value}`}`,
  );
  // A value with a line end can look like a line of another scope.
  const values = [jobRegion, ...known, ...entries.flatMap(({ name, value = '' }) => [name, value])];
  if (!scoped || values.some((value) => /\p{Cc}/u.test(value))) return undefined;
  // Secrets are never written to a file: headers in git's settings, the user in a URL, a passphrase as a value.
  if (env['GIT_CONFIG_PARAMETERS'] || known.some(hasSecret) || entries.some(mayBeSecret)) return undefined;
  return [`${format} ${byGit ? 'git' : 'ssh'}`, jobRegion, ...known, ...listed].join('\n');
}

/** An AWS_ACCESS_KEY_ID looks like a token, but it is needed to tell accounts apart. */
function hasSecret(setting: string): boolean {
  return !setting.startsWith('AWS_ACCESS_KEY_ID=') && (looksSecret(setting) || /:\/\/[^/]*@/.test(setting));
}

function mayBeSecret({ scope, name, value = '' }: ScopedSetting): boolean {
  return looksSecret(value) || (scope === 'command' && lastPart(name) === 'passphrase');
}

/**
 * Whether every value in the environment is certainly a reference: a pasted passphrase may look like a parameter's
 * name.
 */
export function mayBeWritten(env: Environment): boolean {
  const given = ['SSM_SSH_KEY', 'SSM_SSH_PASSPHRASE', 'SSM_SSH_CERTIFICATE'].flatMap(
    (name) => env[name] || [],
  );
  return given.every((text) => {
    try {
      parseReference(text.trim());
      return /^\s*(\/|arn:|ssm:|secretsmanager:|kms:)/.test(text);
    } catch {
      return false;
    }
  });
}

/** Shell assignments. `state` is the agent's folder. */
export function renderAnswer(compiled: Compiled, state: string): string {
  const routes = compiled.keys.map(({ pattern, isProtected }) => ({
    fingerprint: isProtected ? 'protected' : 'repository',
    repositories: pattern ? [pattern] : [],
  }));
  const known = compiled.knownHosts === '' ? '' : `${sshPath(compiled.knownHosts)} `;
  const names = {
    state,
    routes: renderRoutes(routes).trimEnd(),
    ...{ command: compiled.command, known, strict: compiled.strict },
    hosts: `${sshPath(`${state}/known_hosts`)} ${sshPath(`${state}/pinned_hosts`)} ${known}~/.ssh/known_hosts ~/.ssh/known_hosts2`,
    agent: option('IdentityAgent', `${state}/agent`),
    ...{ ec2: compiled.ec2Remotes ? 'yes' : '', told: told(compiled).join('\n') },
    place: wordsOf(compiled.place),
    ...Object.fromEntries(
      compiled.keys.flatMap(({ name, place }, number) => [
        [`key_${number}`, `${state}/keys/${name}`],
        [`identity_${number}`, option('IdentityFile', `${state}/keys/${name}/key.pub`)],
        [`certificate_${number}`, option('CertificateFile', `${state}/keys/${name}/key-cert.pub`)],
        [`place_${number}`, wordsOf(place)],
        [`limit_${number}`, secondsOf(place)],
      ]),
    ),
  };
  return Object.entries(names)
    .map(([name, value]) => `_ssm_set_${name}=${quoted(value)}\n`)
    .join('');
}

/** Quoted words for the shell. */
function option(name: string, path: string): string {
  return `-o ${quoted(`${name}=${sshPath(path)}`)}`;
}

/** An invalid duration becomes 1 second here. Node reports it as an error later. */
function secondsOf({ timeout }: HostSettings): string {
  return String(Math.max(1, parseLifetime(timeout) ?? 1));
}

/** Quoted words for the shell: the settings of EC2 hosts as options. */
function wordsOf({ region, roles, timeout, via }: HostSettings): string {
  const words = [
    `--timeout=${timeout}`,
    ...(via === undefined ? [] : [`--via=${via}`]),
    ...(region === undefined ? [] : [`--region=${region}`]),
    ...roles.map((role) => `--role-arn=${role}`),
  ];
  return words.map(quoted).join(' ');
}

/** A file that the shell sources the next time. */
export function renderKept(text: string, answer: string): string {
  return `case $_ssm_text in\n${quoted(text)})\n${answer}_ssm_set_found=1\n;;\nesac\n`;
}
