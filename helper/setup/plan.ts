/** The settings that setup writes, and which of them git's configuration does not have yet. Pure. */
import { canonicalName, isTrue, type Setting, type Settings } from '../../src/git/listing.ts';
import type { KeyLine } from '../../src/keys/key-line.ts';
import { signingTexts } from '../../src/keys/key-line-text.ts';
import type { Reference } from '../../src/keys/reference.ts';
import { patternOf } from '../../src/host/settings.ts';
import { signingVariables } from '../../src/host/signing-settings.ts';
import { parseRepositoryPattern, patternText, type RepositoryPattern } from '../../src/keys/routes.ts';
import { invalid } from '../command-line/parse.ts';
import { parseCredentialReference } from '../command-line/settings.ts';

/** `REFERENCE [username=NAME] REPOSITORY …`: a credential for HTTPS, and its repositories. */
export interface CredentialLine {
  readonly reference: Reference;
  readonly username: string | undefined;
  readonly repositories: readonly RepositoryPattern[];
}

const form = "write --credential 'REF [username=NAME] REPOSITORY', for example /ci/token github.com/acme";

/** @throws INPUT_INVALID */
export function parseCredentialLine(line: string): CredentialLine {
  const [reference = '', ...words] = line.trim().split(/\s+/);
  const options = words.filter((word) => word.includes('='));
  const names = options.map((option) => /^username=(.+)$/.exec(option)?.[1]);
  if (names.length > 1 || names.includes(undefined))
    // The text behind the = may be a password.
    throw invalid('--credential has an option that it does not know, or one without a value', form);
  const repositories = words.filter((word) => !word.includes('=')).map(parseRepositoryPattern);
  // Without a host it would be sent to any host that a submodule names.
  if (repositories.length === 0) throw invalid('--credential does not say which host it is for', form);
  return { reference: parseCredentialReference(reference, '--credential'), username: names[0], repositories };
}

export interface Wanted {
  readonly keys: readonly KeyLine[];
  readonly credentials: readonly CredentialLine[];
  readonly region: string | undefined;
  readonly roles: readonly string[];
  /** The way to EC2 hosts. */
  readonly via: string | undefined;
  /** A file, by its whole path. */
  readonly knownHosts: string | undefined;
  /** As it was written. */
  readonly keyLifetime: string | undefined;
  /** The ssh command, as a word of sh. */
  readonly sshCommand: string;
  /** The value of credential.helper. */
  readonly helper: string;
  /** The Node that programs of this host can use. */
  readonly node: string;
}

/** undefined: the setting is removed. */
export type Value = string | undefined;

/** Name → value. Other settings stay as they are. */
export function settingsFor(wanted: Wanted, known: Settings): Map<string, Value> {
  const settings = new Map<string, Value>();
  for (const key of wanted.keys) {
    for (const section of sectionsOf(key)) {
      if (settings.has(`${section}.key`)) {
        const whose = section === 'ssm' ? 'every other repository' : section.slice('ssm.'.length);
        throw invalid(`two keys are for ${whose}`, 'write one key, or name the repositories of each');
      }
      for (const [name, value] of settingsOf(key)) settings.set(`${section}.${name}`, value);
    }
  }
  for (const { reference, username, repositories } of wanted.credentials) {
    for (const pattern of repositories) {
      const section = `ssm.${patternText(pattern)}`;
      if (settings.has(`${section}.credential`))
        throw invalid(`two credentials are for ${patternText(pattern)}`, 'write one');
      settings.set(`${section}.credential`, reference.text);
      settings.set(`${section}.username`, username);
      settings.set(`credential.https://${hostOf(pattern)}.helper`, wanted.helper);
      settings.set(`credential.https://${hostOf(pattern)}.useHttpPath`, 'true');
    }
  }
  if (wanted.region !== undefined) settings.set('ssm.region', wanted.region);
  if (wanted.roles.length > 0) settings.set('ssm.roleArn', wanted.roles.join(','));
  if (wanted.via !== undefined) settings.set('ssm.via', wanted.via);
  if (wanted.knownHosts !== undefined) settings.set('ssm.knownHosts', wanted.knownHosts);
  if (wanted.keyLifetime !== undefined) settings.set('ssm.keyLifetime', wanted.keyLifetime);
  settings.set('ssm.node', wanted.node);
  if (wanted.keys.length > 0) {
    settings.set('core.sshCommand', wanted.sshCommand);
    settings.set('ssh.variant', 'ssh');
  }
  for (const host of credentialHosts(known)) settings.set(`credential.https://${host}.useHttpPath`, 'true');
  return settings;
}

/** The passphrase, the certificate and the options of a former key are of no use for the new one. */
function settingsOf({ reference, passphrase, certificate, signing }: KeyLine): Map<string, Value> {
  const options = signing && signingTexts(signing);
  return new Map([
    ['key', reference.text],
    ['passphrase', passphrase?.text],
    ['certificate', certificate?.text],
    ...[...signingVariables].map(([option, variable]) => [variable, options?.get(option)] as const),
  ]);
}

function sectionsOf({ repositories }: KeyLine): string[] {
  return repositories.length === 0 ? ['ssm'] : repositories.map((pattern) => `ssm.${patternText(pattern)}`);
}

/** Hosts for which a section names a credential: git passes the path to a helper only with useHttpPath (gitcredentials(7)). */
function credentialHosts(known: Settings): string[] {
  return [...known.keys()].flatMap((name) => {
    const [, section] = /^ssm\.(.+)\.credential$/s.exec(name) ?? [];
    // Other programs ignore a section that names no repository.
    const pattern = section === undefined ? undefined : patternOf(section);
    return pattern ? [hostOf(pattern)] : [];
  });
}

function hostOf({ host, port }: RepositoryPattern): string {
  return patternText({ host, path: '', ...(port !== undefined && { port }) });
}

/** The end of the path of a program of ours, in any installation. */
const [sshCommandOfOurs, helperOfOurs] = ["(^|/helper/)ssm-ssh'?$", "/helper/git-credential-ssm'?$"];

/** For a setting that may have several values: an extended regular expression for those that are ours. */
function oursAmong(name: string): string | undefined {
  return name.endsWith('.helper') ? helperOfOurs : undefined;
}

/** The values that must not stand beside ours: roles, of which all count, and helpers of another installation. */
export function replaced(name: string): RegExp | undefined {
  if (name === 'ssm.roleArn') return /^/;
  const ours = oursAmong(name);
  return ours === undefined ? undefined : new RegExp(ours);
}

/**
 * What a new key or credential leaves out must not come from the old one of a less specific file: an empty value removes it.
 *
 * @param below what the less specific files have
 */
export function withoutBelow(wanted: ReadonlyMap<string, Value>, below: Settings): Map<string, Value> {
  const has = (name: string): boolean => Boolean(below.get(canonicalName(name))?.at(-1));
  return new Map([...wanted].map(([name, value]) => [name, value ?? (has(name) ? '' : undefined)]));
}

/** The wanted settings that git's configuration does not have yet. */
export function changesBetween(known: Settings, wanted: ReadonlyMap<string, Value>): Setting[] {
  return [...wanted].flatMap(([name, value]) => {
    const there = valuesOf(known, name);
    const isOnly = replaced(name) === undefined || there.length <= 1;
    return isOnly && isSame(name, there.at(-1), value) ? [] : [{ name, value, among: oursAmong(name) }];
  });
}

/** A boolean has several spellings. An empty line is the same as none, unless it is wanted. */
function isSame(name: string, there: string | undefined, value: Value): boolean {
  return (
    there === value ||
    (value === undefined && there === '') ||
    (name.endsWith('.useHttpPath') && value === 'true' && isTrue(there ?? ''))
  );
}

/** The values that ours would replace. */
export function valuesOf(known: Settings, name: string): readonly string[] {
  const there = known.get(canonicalName(name)) ?? [];
  const ours = oursAmong(name);
  return ours === undefined ? there : there.filter((value) => new RegExp(ours).test(value));
}

/** Whether setup may have written it: the path of a program of this package, which is gone after it is uninstalled. */
export function namesProgram({ name }: Setting): boolean {
  return name === 'core.sshCommand' || name.endsWith('.helper');
}

/** Whether an ssh command is ssm-ssh, of any installation. */
export function isOurs(sshCommand: string): boolean {
  return new RegExp(sshCommandOfOurs).test(sshCommand.trim());
}
