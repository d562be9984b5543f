/** Commands that repair a stored key, or the setting that names it. Pure. */
import type { Code } from '../../src/errors.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { aliasOf } from '../../src/aws/kms-statement.ts';
import { allOf, replaceSetting, setBeside, type Environment, type PlacedSetting } from './setting-remedy.ts';
import type { Place, WantedKmsKey, WantedSecret } from './wanted.ts';

export interface KeyRemedies {
  readonly entries: readonly PlacedSetting[];
  readonly env: Environment;
  /** Our ssm-ssh-agent, as a word of sh. */
  readonly agent: string;
  /** `--region`, `--role-arn` and `--profile` as they were given. */
  readonly account: readonly string[];
}

const storedBadly: readonly Code[] = ['KEY_EMPTY', 'KEY_NOT_PRIVATE', 'KEY_MALFORMED'];

/** @returns undefined if the hint of the error says more than a command could */
export function remedyForKey(code: Code, wanted: WantedSecret, remedies: KeyRemedies): string | undefined {
  if (wanted.kind === 'credential') return undefined;
  const { passphrase, certificate } = wanted.line;
  if (code === 'KEY_ENCRYPTED' && wanted.kind === 'key' && !passphrase)
    return namePassphrase(wanted, remedies);
  // What is missing or damaged may be one of these, and the command would replace a good key.
  if (passphrase || certificate) return undefined;
  if (code === 'KEY_NOT_FOUND') return store(wanted, remedies, []);
  if (storedBadly.includes(code)) return storeAgain(wanted, remedies);
  return undefined;
}

/** FILE is the private key. undefined: `put` stores no such reference. */
function storeAgain(wanted: WantedSecret, remedies: KeyRemedies): string | undefined {
  return store(wanted, remedies, ['--overwrite']);
}

/**
 * For a parameter of another type, which AWS does not change: NEW_NAME takes its place.
 *
 * @source Systems Manager API Reference, PutParameter, HierarchyTypeMismatchException
 */
export function storeElsewhere(wanted: WantedSecret, remedies: KeyRemedies): string | undefined {
  if (wanted.kind === 'credential') return undefined;
  const { reference } = wanted.line;
  if (reference.kind !== 'parameter') return undefined;
  const setting = settingOf(wanted, remedies.entries);
  const renamed = { ...reference, name: 'NEW_NAME', selector: '' };
  const stored = store({ ...wanted, line: { ...wanted.line, reference: renamed } }, remedies, []);
  if (stored === undefined) return undefined;
  return allOf([stored, ...(setting ? [replaceSetting(setting, 'NEW_NAME', remedies.env)] : [])]);
}

function store(
  { line, place }: WantedSecret,
  remedies: KeyRemedies,
  more: readonly string[],
): string | undefined {
  const { reference } = line;
  if (reference.kind !== 'parameter' || reference.selector !== '' || reference.location) return undefined;
  return ofAgent(['put', reference.name, 'FILE', ...more], place, remedies);
}

/** A command of our ssm-ssh-agent, for the place of the key. */
function ofAgent(command: readonly string[], { region, roles }: Place, remedies: KeyRemedies): string {
  const { agent, account } = remedies;
  const has = (option: string): boolean => account.includes(option);
  const words = [
    ...[...command, ...account],
    ...(region === undefined || has('--region') ? [] : ['--region', region]),
    ...(has('--role-arn') ? [] : roles.flatMap((role) => ['--role-arn', role])),
  ];
  return `${agent} ${words.map(quoteForShell).join(' ')}`;
}

/**
 * For a key in KMS: makes a new one, under its name if there is none. NEW_NAME takes the place of a key of another kind.
 *
 * @returns undefined if the hint of the error says more than a command could
 */
export function remedyForKms(code: Code, wanted: WantedKmsKey, remedies: KeyRemedies): string | undefined {
  const { reference, place, from, kind } = wanted;
  if (reference.location) return undefined;
  if (code === 'KEY_NOT_FOUND' && aliasOf(reference) !== undefined)
    return ofAgent(['keygen', reference.text], place, remedies);
  if (code !== 'KEY_UNSUPPORTED') return undefined;
  const name = 'kms:alias/NEW_NAME';
  const setting = settingFor(kind === 'key' ? 'key' : 'ca', { from, text: reference.text }, remedies.entries);
  return allOf([
    ofAgent(['keygen', name], place, remedies),
    ...(setting ? [replaceSetting(setting, name, remedies.env)] : []),
    ...(from === 'SSM_SSH_KEY' ? [`export SSM_SSH_KEY=${name}`] : []),
  ]);
}

/** REF is where the passphrase is stored: /NAME or secretsmanager:NAME. */
function namePassphrase(wanted: WantedSecret, { entries, env }: KeyRemedies): string | undefined {
  const setting = settingOf(wanted, entries);
  if (!setting) return wanted.from === 'SSM_SSH_KEY' ? 'export SSM_SSH_PASSPHRASE=REF' : undefined;
  const name = setting.name.replace(/\.key$/, '.passphrase');
  return setBeside(setting, { name, value: 'REF' }, env);
}

/** For a stored authority: FILE is its private key. */
export function putIntoKms(wanted: WantedSecret, remedies: KeyRemedies): string {
  const name = 'kms:alias/NAME';
  const setting = settingOf(wanted, remedies.entries);
  return allOf([
    ofAgent(['put', name, 'FILE'], wanted.place, remedies),
    ...(setting ? [replaceSetting(setting, name, remedies.env)] : []),
  ]);
}

function settingOf(
  { kind, from, line }: WantedSecret,
  entries: readonly PlacedSetting[],
): PlacedSetting | undefined {
  return settingFor(kind === 'authority' ? 'ca' : 'key', { from, text: line.reference.text }, entries);
}

/** The setting that names the reference. */
function settingFor(
  variable: 'key' | 'ca',
  { from, text }: { readonly from: string; readonly text: string },
  entries: readonly PlacedSetting[],
): PlacedSetting | undefined {
  const isNamed = (name: string): boolean =>
    name.endsWith(`.${variable}`) &&
    (from === 'ssm.key' ? name === `ssm.${variable}` : from.startsWith('[ssm "') && /^ssm\..+\./s.test(name));
  return entries.findLast(({ name, value }) => isNamed(name) && value?.trim() === text);
}
