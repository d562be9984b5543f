/** Commands that change one setting where it stands: in a file of git's configuration, or in the environment. Pure. */
import type { ScopedSetting } from '../../src/git/listing.ts';
import { canonicalName } from '../../src/git/listing.ts';
import type { Source } from '../../src/host/explain.ts';
import { shown } from '../../src/keys/shown-text.ts';
import { quoteForShell } from '../../src/process/quote.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting of git's configuration with its place. */
export interface PlacedSetting extends ScopedSetting {
  readonly source: Source;
  /** Whether this user may write the file. */
  readonly isWritable: boolean;
}

/** The variables of a setting with capitals in git's and our documentation. */
const written = [
  ...['sshCommand', 'insteadOf', 'pushInsteadOf', 'useHttpPath', 'roleArn', 'knownHosts'],
  ...['strictHostKeyChecking', 'ec2Remotes', 'keyLifetime', 'sourceAddress', 'forceCommand'],
];

/** git writes the name as it is given. */
function writtenName(name: string): string {
  const at = name.lastIndexOf('.') + 1;
  const variable = name.slice(at);
  return name.slice(0, at) + (written.find((one) => one.toLowerCase() === variable) ?? variable);
}

/** Gives the setting this value, also if it has several values there. */
export function replaceSetting(setting: PlacedSetting, value: string, env: Environment): string {
  const number = pairOf(setting, env);
  if (number !== undefined) return `export GIT_CONFIG_VALUE_${String(number)}=${quoteForShell(value)}`;
  if (setting.scope === 'command') return ofEnvironment(setting, env);
  return inFile(setting, ['--replace-all', writtenName(setting.name), value]);
}

/** Gives another setting a value, where this one stands: a pair of its own, behind those of the environment. */
export function setBeside(
  setting: PlacedSetting,
  { name, value }: { readonly name: string; readonly value: string },
  env: Environment,
): string {
  if (pairOf(setting, env) === undefined) return replaceSetting({ ...setting, name, value: '' }, value, env);
  const next = pairsIn(env);
  const words = [
    `GIT_CONFIG_COUNT=${String(next + 1)}`,
    `GIT_CONFIG_KEY_${String(next)}=${quoteForShell(writtenName(name))}`,
    `GIT_CONFIG_VALUE_${String(next)}=${quoteForShell(value)}`,
  ];
  return `export ${words.join(' ')}`;
}

/** Replaces this value of the setting, and no other one. */
export function replaceValue(setting: PlacedSetting, value: string, env: Environment): string {
  if (setting.scope === 'command') return replaceSetting(setting, value, env);
  const among = `^${escaped(setting.value ?? '')}$`;
  return inFile(setting, ['--replace-all', writtenName(setting.name), value, among]);
}

/** Removes all values of the setting there. */
export function unsetSetting(setting: PlacedSetting, env: Environment): string {
  if (setting.scope === 'command') return ofEnvironment(setting, env);
  return inFile(setting, ['--unset-all', writtenName(setting.name)]);
}

/** Removes this value of the setting, and no other one. */
export function unsetValue(setting: PlacedSetting, env: Environment): string {
  if (setting.scope === 'command') return ofEnvironment(setting, env);
  return inFile(setting, ['--unset-all', writtenName(setting.name), `^${escaped(setting.value ?? '')}$`]);
}

/** Removes each of the settings, and each only once. */
export function unsetSettings(settings: readonly PlacedSetting[], env: Environment): string {
  return allOf(settings.map((setting) => unsetSetting(setting, env)));
}

/** Adds a value behind those that the setting has in this file. */
export function addValue(setting: PlacedSetting, value: string, env: Environment): string {
  if (setting.scope === 'command') return ofEnvironment(setting, env);
  return inFile(setting, ['--add', writtenName(setting.name), value]);
}

/** Removes the whole section of this setting. */
export function removeSection(setting: PlacedSetting, env: Environment): string {
  if (setting.scope === 'command') return ofEnvironment(setting, env);
  return inFile(setting, ['--remove-section', setting.name.slice(0, setting.name.lastIndexOf('.'))]);
}

/** One command that runs all of them. Equal commands are run once. */
export function allOf(commands: readonly string[]): string {
  return [...new Set(commands)].join(' && ');
}

/** `/home/me/.gitconfig line 4`; empty if it is not known. */
export function placeOfSetting({ source }: PlacedSetting): string {
  const { file, line, scope } = source;
  if (file === undefined) return scope;
  return line === undefined ? file : `${file} line ${String(line)}`;
}

/** What is shown in another form than it has (secrets, control characters) cannot be in a command. */
function inFile(setting: PlacedSetting, words: readonly string[]): string {
  const { source, scope, isWritable } = setting;
  const { file } = source;
  // `repository`: git is too old to tell the file.
  const wanted = scope === 'repository' ? 'local' : scope;
  const known = ['system', 'global', 'local', 'worktree'].includes(wanted) ? wanted : 'global';
  const place = file === undefined ? [`--${known}`] : ['--file', quoteForShell(file)];
  const git = [...(isWritable ? [] : ['sudo']), 'git', 'config', ...place].join(' ');
  const command = `${git} ${words.map(quoteForShell).join(' ')}`;
  return shown(command) === command ? command : `${git} --edit`;
}

/** The number of the pair of GIT_CONFIG_COUNT that has the setting. */
function pairOf({ name, value, scope }: PlacedSetting, env: Environment): number | undefined {
  if (scope !== 'command') return undefined;
  const numbers = Array.from({ length: pairsIn(env) }, (_, index) => index);
  return numbers.findLast(
    (number) =>
      canonicalName(env[`GIT_CONFIG_KEY_${String(number)}`] ?? '') === name &&
      (env[`GIT_CONFIG_VALUE_${String(number)}`] ?? '') === (value ?? ''),
  );
}

function pairsIn(env: Environment): number {
  return Number(env['GIT_CONFIG_COUNT'] ?? 0) || 0;
}

/** git has no way to leave out one pair of GIT_CONFIG_COUNT: without the count it reads none. */
function ofEnvironment(setting: PlacedSetting, env: Environment): string {
  const isPair = pairOf(setting, env) !== undefined || !env['GIT_CONFIG_PARAMETERS'];
  return isPair ? 'unset GIT_CONFIG_COUNT' : 'unset GIT_CONFIG_PARAMETERS';
}

/** For an extended regular expression. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
