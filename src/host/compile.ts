/** Compiles the configuration of a host to what helper/ssm-ssh reads. Pure. */
import { settingsIn, isProtected, type Listing, type ScopedSetting } from '../git/listing.ts';
import { parseKeyReference } from '../keys/key-reference.ts';
import { otherKindOf, parseReference } from '../keys/reference.ts';
import { matchRoutes, type Remote, type RepositoryPattern } from '../keys/routes.ts';
import { looksSecret } from '../keys/secret-text.ts';
import { ec2Sections, type Ec2Place } from './ec2-places.ts';
import { nameOf, surroundings } from './key-name.ts';
import { offeredOf } from './rival-sections.ts';
import {
  allowsEc2Remotes,
  hostKeySettings,
  patternOf,
  sectionsWith,
  settingsOf,
  type Environment,
  type HostKeySettings,
  type HostSettings,
} from './settings.ts';
import { chosenKeyOf, signingVariables, type ChosenKey } from './signing-settings.ts';

/** The pattern for `git config --get-regexp`. helper/ssm-ssh-host.sh has the same pattern. */
export const askedSettings = '^(ssm\\.|core\\.sshcommand$)';

/** What helper/ssm-ssh knows about the connection. */
export interface Connection {
  /** Whether git started ssm-ssh. Only then may the repository of the working directory choose the key. */
  readonly byGit: boolean;
  /** The action's Region; empty if there is none. */
  readonly jobRegion: string;
  /**
   * The AWS SDK's files in the home folder that exist. Without them, a login and a service without HOME share their keys.
   */
  readonly awsFiles?: readonly string[];
}

export interface HostKey extends ChosenKey {
  /**
   * A hash of the references, the credentials, the Region and what the agent in front is told: the same reference read
   * elsewhere is another key.
   */
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
  /** Settings for the EC2 hosts that sections name. */
  readonly ec2Places: readonly Ec2Place[];
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
  cache: 'cache',
  ...{ stricthostkeychecking: 'strictHostKeyChecking', ec2remotes: 'ec2Remotes', key: 'key' },
  ...Object.fromEntries([...signingVariables.values()].map((name) => [name.toLowerCase(), name])),
};

export function compile(
  { entries }: Pick<Listing, 'entries'>,
  env: Environment,
  { byGit, jobRegion, awsFiles = [] }: Connection,
): Compiled {
  const settings = settingsIn(entries.filter((entry) => counts(entry, byGit)));
  const trusted = settingsIn(entries.filter(isProtected));
  const warnings: string[] = [];
  const { knownHosts, strict } = hostKeySettings(settings, env);
  const placeOf = (section?: string): HostSettings => {
    const configured = settingsOf(settings, env, section);
    return { ...configured, region: configured.region ?? (jobRegion || undefined) };
  };
  const keyOf = (section: string | undefined): Omit<HostKey, 'section' | 'pattern' | 'isProtected'> => {
    const key = chosenKeyOf({ settings, trusted }, env, section);
    const place = placeOf(section);
    return { ...key, place, name: nameOf(key, place, { env, awsFiles, knownHosts, section }) };
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
    keys: [
      ...offeredOf(sections, warnings),
      ...(byDefault.reference === '' ? [] : [{ ...byDefault, isProtected: true }]),
    ],
    place: byDefault.place,
    ec2Places: ec2Sections(settings).map((one) => ({ ...one, place: placeOf(one.section) })),
    ...{ knownHosts, strict },
    ec2Remotes: allowsEc2Remotes(trusted, env),
    command: settings.get('core.sshcommand')?.at(-1) ?? '',
    warnings,
    ignored: writtenNamesOf(entries.filter(isIgnored)),
  };
}

/** Whether it is a setting of the repository that does not count. */
export function isIgnored(entry: ScopedSetting): boolean {
  const { name } = entry;
  if (isProtected(entry) || isChoice(entry)) return false;
  return name.startsWith('ssm.') && writtenNames[lastPart(name)] !== undefined;
}

/** Whether a setting counts for this kind of command. */
export function counts(entry: ScopedSetting, byGit: boolean): boolean {
  return isProtected(entry) || (byGit && isChoice(entry));
}

/** Whether the repository may choose it, too. Only among stored keys: whoever filled the folder must not make KMS sign. */
export function isChoice({ name, value = '' }: ScopedSetting): boolean {
  if (name === 'core.sshcommand') return true;
  const last = lastPart(name);
  if (!name.startsWith('ssm.') || !choices.includes(last)) return false;
  return last !== 'key' || otherKindOf(value.trim()) === undefined;
}

/** The folder of a key's public parts, and the socket of its agent. A socket's path must be short. */
export function placesOf(
  { name, signs }: Pick<HostKey, 'name' | 'signs'>,
  state: string,
): { readonly folder: string; readonly agent: string } {
  if (!signs) return { folder: `${state}/keys/${name}`, agent: `${state}/agent` };
  const folder = `${state}/kms/${name.slice(0, 16)}`;
  return { folder, agent: `${folder}/agent` };
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

/** The keys that ssm-ssh offers; if several keys have the same pattern, all of them. */
export function pick({ keys }: Pick<Compiled, 'keys'>, remote: Remote): HostKey[] {
  const routes = keys.map((key) => ({ key, repositories: key.pattern ? [key.pattern] : [] }));
  return matchRoutes(routes, remote, sshPort);
}

const sshPort = 22;

/** The format of the compiled files. Files of other versions never match. */
const format = 5;

/**
 * The output of `git config` as the shell has it, and the surroundings. The shell only compares this text. undefined:
 * do not cache.
 */
export function textOf(
  { entries, scoped }: Listing,
  env: Environment,
  { byGit, jobRegion, awsFiles = [] }: Connection,
): string | undefined {
  const known = surroundings.flatMap((name) => (env[name] === undefined ? [] : [`${name}=${env[name]}`]));
  // The shell knows no other home folder.
  const files = awsFiles.filter((path) => path.startsWith(`${env['HOME'] ?? ''}/.aws/`));
  const listed = entries.map(
    ({ scope, name, value }) => `${scope}\t${name}${value === undefined ? '' : ` ${value}`}`,
  );
  // A value with a line end can look like a line of another scope.
  const values = [jobRegion, ...known, ...entries.flatMap(({ name, value = '' }) => [name, value])];
  if (!scoped || values.some((value) => /\p{Cc}/u.test(value))) return undefined;
  // Secrets are never written to a file: headers in git's settings, the user in a URL, a passphrase as a value.
  if (env['GIT_CONFIG_PARAMETERS'] || known.some(hasSecret) || entries.some(mayBeSecret)) return undefined;
  return [`${format}${byGit ? ' git' : ''}`, jobRegion, ...known, ...files, ...listed].join('\n');
}

/** An AWS_ACCESS_KEY_ID looks like a token, but it is needed to tell accounts apart. */
function hasSecret(setting: string): boolean {
  return !setting.startsWith('AWS_ACCESS_KEY_ID=') && (looksSecret(setting) || /:\/\/[^/]*@/.test(setting));
}

function mayBeSecret({ scope, name, value = '' }: ScopedSetting): boolean {
  // A section may be a URL with a token in it.
  return looksSecret(name) || looksSecret(value) || (scope === 'command' && lastPart(name) === 'passphrase');
}

/**
 * Whether every value in the environment is certainly a reference: a pasted passphrase may look like a parameter's
 * name.
 */
export function mayBeWritten(env: Environment): boolean {
  const given = [
    ['SSM_SSH_KEY', parseKeyReference],
    ['SSM_SSH_PASSPHRASE', parseReference],
    ['SSM_SSH_CERTIFICATE', parseReference],
  ] as const;
  return given.every(([name, parse]) => {
    const text = env[name];
    if (!text) return true;
    try {
      parse(text.trim());
      return /^\s*(\/|arn:|ssm:|secretsmanager:|kms:)/.test(text);
    } catch {
      return false;
    }
  });
}
