/** The keys and credentials to check: those of the command line, and those that are configured. Pure. */
import { Failure } from '../../src/errors.ts';
import { patternText } from '../../src/keys/routes.ts';
import type { StoredKeyLine } from '../../src/keys/key-line.ts';
import { parseReference, type Reference } from '../../src/keys/reference.ts';
import type { Compiled, HostKey } from '../../src/host/compile.ts';
import type { NamedCredential, Routes } from '../../src/host/credential-routes.ts';
import { parseCredentialReference } from '../command-line/settings.ts';
import { failed, type Finding } from './finding.ts';
import { withSlash } from './reference-remedy.ts';
import type { PlacedSetting } from './setting-remedy.ts';

/** With which Region and roles a reference is read. Empty: as on this machine. */
export interface Place {
  readonly region: string | undefined;
  readonly roles: readonly string[];
}

/** A key, or a credential for HTTPS. */
export interface WantedSecret {
  readonly kind: 'key' | 'credential';
  readonly line: StoredKeyLine;
  readonly place: Place;
  /** Where it is named, for people: `[ssm "github.com/acme"]`. */
  readonly from: string;
  /** Of a credential. */
  readonly username?: string | undefined;
}

export interface WantedSecrets {
  /** Those of the command line first. Each reference once for each place that it is read from. */
  readonly secrets: readonly WantedSecret[];
  /** References that cannot be parsed. */
  readonly problems: readonly Finding[];
}

export interface NamedSecrets {
  readonly lines: readonly StoredKeyLine[];
  readonly compiled: Compiled;
  readonly routes: Routes;
  /** Of all scopes. */
  readonly entries: readonly PlacedSetting[];
  /** Of the command line: it takes precedence over the settings. */
  readonly account: Place;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function wantedSecrets(named: NamedSecrets): WantedSecrets {
  const { lines, compiled, routes, account, env } = named;
  const problems: Finding[] = [];
  const parsed = <T>(from: string, parse: () => T, remedy?: () => string | undefined): T[] => {
    try {
      return [parse()];
    } catch (error) {
      const finding = failed(`read ${from}`, error);
      problems.push({ ...finding, remedy: remedy?.() ?? finding.remedy });
      return [];
    }
  };
  const given = lines.map((line): WantedSecret => {
    const place = placeOf(compiled.place, account);
    return { kind: 'key', line, place, from: 'the command line' };
  });
  const keys = compiled.keys.filter(isStoredKey).flatMap((key) =>
    parsed(
      originOf(key, env),
      () => fromKey(key, { account, from: originOf(key, env) }),
      () => withSlash(key, named.entries, env),
    ),
  );
  const credentials = routes.routes.flatMap(({ key }) =>
    parsed(key.place, () => fromCredential(key, account)),
  );
  const secrets = new Map([...given, ...keys, ...credentials].map((secret) => [identity(secret), secret]));
  return { secrets: [...secrets.values()], problems };
}

/** A key that signs is opened by an agent of its own. */
function isStoredKey({ signs }: HostKey): boolean {
  return !signs;
}

/** The name of the setting that chooses the key. */
export function originOf({ pattern, reference }: HostKey, env: NamedSecrets['env']): string {
  if (pattern) return `[ssm "${patternText(pattern)}"]`;
  return env['SSM_SSH_KEY'] === reference ? 'SSM_SSH_KEY' : 'ssm.key';
}

export function placeOf(settings: Place, account: Place): Place {
  const { region, roles } = account;
  return { region: region ?? settings.region, roles: roles.length > 0 ? roles : settings.roles };
}

/** Equal for the same references, read from the same place. */
function identity({ kind, line, place }: WantedSecret): string {
  const { reference, passphrase, certificate } = line;
  return JSON.stringify([kind, reference.text, passphrase?.text, certificate?.text, place]);
}

function fromKey(key: HostKey, { account, from }: { account: Place; from: string }): WantedSecret {
  return { ...{ kind: 'key', from, place: placeOf(key.place, account) }, line: lineOf(key) };
}

/** @throws INPUT_INVALID */
export function lineOf({ reference, passphrase, certificate, pattern }: HostKey): StoredKeyLine {
  return {
    reference: parseReference(reference.trim()),
    ...(passphrase && { passphrase: ofKey('passphrase', passphrase) }),
    ...(certificate && { certificate: ofKey('certificate', certificate) }),
    repositories: pattern ? [pattern] : [],
  };
}

/** The value may be the passphrase itself, so the error does not repeat it. */
function ofKey(name: 'passphrase' | 'certificate', text: string): Reference {
  try {
    return parseReference(text.trim());
  } catch (cause) {
    throw new Failure('INPUT_INVALID', `its ${name} is not the name of a parameter or a secret`, {
      hint: `write /NAME or secretsmanager:NAME, where the ${name} is stored`,
      cause,
    });
  }
}

function fromCredential(named: NamedCredential, account: Place): WantedSecret {
  const { reference, place: from, username } = named;
  const line = { reference: parseCredentialReference(reference, from), repositories: [] };
  return { kind: 'credential', line, place: placeOf(named, account), from, username };
}
