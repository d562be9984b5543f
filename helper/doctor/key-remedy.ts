/** Commands that repair a stored key, or the setting that names it. Pure. */
import type { Code } from '../../src/errors.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { allOf, replaceSetting, type Environment, type PlacedSetting } from './setting-remedy.ts';
import type { WantedSecret } from './wanted.ts';

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
  if (wanted.kind !== 'key') return undefined;
  if (code === 'KEY_NOT_FOUND') return store(wanted, remedies, []);
  if (storedBadly.includes(code)) return storeAgain(wanted, remedies);
  if (code === 'KEY_ENCRYPTED' && !wanted.line.passphrase) return namePassphrase(wanted, remedies);
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
  if (wanted.kind !== 'key') return undefined;
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
  { agent, account }: KeyRemedies,
  more: readonly string[],
): string | undefined {
  const { reference } = line;
  if (reference.kind !== 'parameter' || reference.selector !== '' || reference.location) return undefined;
  const has = (option: string): boolean => account.includes(option);
  const words = [
    ...['put', reference.name, 'FILE', ...more, ...account],
    ...(place.region === undefined || has('--region') ? [] : ['--region', place.region]),
    ...(has('--role-arn') ? [] : place.roles.flatMap((role) => ['--role-arn', role])),
  ];
  return `${agent} ${words.map(quoteForShell).join(' ')}`;
}

/** REF is where the passphrase is stored: /NAME or secretsmanager:NAME. */
function namePassphrase(wanted: WantedSecret, { entries, env }: KeyRemedies): string | undefined {
  const setting = settingOf(wanted, entries);
  if (!setting) return wanted.from === 'SSM_SSH_KEY' ? 'export SSM_SSH_PASSPHRASE=REF' : undefined;
  const name = setting.name.replace(/\.key$/, '.passphrase');
  return replaceSetting({ ...setting, name, value: '' }, 'REF', env);
}

function settingOf(
  { from, line }: WantedSecret,
  entries: readonly PlacedSetting[],
): PlacedSetting | undefined {
  const isNamed = (name: string): boolean =>
    from === 'ssm.key' ? name === 'ssm.key' : from.startsWith('[ssm "') && /^ssm\..+\.key$/s.test(name);
  return entries.findLast(({ name, value }) => isNamed(name) && value?.trim() === line.reference.text);
}
