/** The settings of git's configuration for keys that our agent signs with: `ssm.ca`, `ssm.NAME.principals`, … Pure. */
import type { Settings } from '../git/listing.ts';
import type { OptionTexts } from '../keys/certificate-options.ts';
import { otherKindOf } from '../keys/reference.ts';
import { signingNames } from '../keys/signing-names.ts';
import { keySettingsOf, type Environment, type KeySettings } from './settings.ts';

/** Option of a line → the variable of a section: `source-address` → `sourceAddress`. */
export const signingVariables: ReadonlyMap<string, string> = new Map(
  signingNames.map((name) => [name, name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]),
);

/** The settings of a key, of a section or by default. */
export interface ChosenKey extends KeySettings {
  /** Whether our agent serves it, and not OpenSSH's. */
  readonly signs: boolean;
  /** As in a line of the action. */
  readonly options: OptionTexts;
}

interface Read {
  /** What counts for this kind of command. */
  readonly settings: Settings;
  /** The part of it that no repository has chosen. */
  readonly trusted: Settings;
}

/**
 * The options belong to the protected key: a key that a repository chose has none, and an environment variable is a
 * reference alone. A key that signs has no settings of a repository, as its passphrase would be.
 */
export function chosenKeyOf({ settings, trusted }: Read, env: Environment, section?: string): ChosenKey {
  const key = keySettingsOf(settings, env, section);
  const own = keySettingsOf(trusted, env, section);
  const isOwn = own.reference === key.reference && !(section === undefined && env['SSM_SSH_KEY']);
  const options: OptionTexts = isOwn ? textsOf(trusted, section) : new Map();
  const signs = options.has('ca') || otherKindOf(key.reference.trim()) !== undefined;
  return { ...(signs ? own : key), signs, options };
}

/** As elsewhere in git, an empty value removes the value of a less specific file. */
function textsOf(settings: Settings, section: string | undefined): OptionTexts {
  const prefix = section === undefined ? 'ssm.' : `ssm.${section}.`;
  return new Map(
    [...signingVariables].flatMap(([option, variable]) => {
      const text = settings.get(prefix + variable.toLowerCase())?.at(-1) ?? '';
      return text === '' ? [] : [[option, text] as const];
    }),
  );
}
