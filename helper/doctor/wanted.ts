/** The keys and credentials to check: those of the command line, and those that are configured. Pure. */
import { patternText } from '../../src/keys/routes.ts';
import type { KeyLine, SigningKeyLine, StoredKeyLine } from '../../src/keys/key-line.ts';
import { isStored, type KmsReference } from '../../src/keys/key-reference.ts';
import type { Compiled, HostKey } from '../../src/host/compile.ts';
import type { NamedCredential, Routes } from '../../src/host/credential-routes.ts';
import { isCached } from '../../src/host/settings.ts';
import { hostLine } from '../../src/host/host-line.ts';
import { parseCredentialReference } from '../command-line/settings.ts';
import { failed, type Finding } from './finding.ts';
import { completed } from './reference-remedy.ts';
import type { PlacedSetting } from './setting-remedy.ts';

/** With which Region and roles a reference is read. Empty: as on this machine. */
export interface Place {
  readonly region: string | undefined;
  readonly roles: readonly string[];
  /** The address of a cache on this machine that is asked instead of AWS, as written. */
  readonly cache?: string | undefined;
}

/** `from` of a key that doctor was given. */
export const ofCommandLine = 'the command line';

/** A stored key, the stored key of an authority, or a credential for HTTPS. */
export interface WantedSecret {
  readonly kind: 'key' | 'authority' | 'credential';
  readonly line: StoredKeyLine;
  readonly place: Place;
  /** Where it is named, for people: `[ssm "github.com/acme"]`. */
  readonly from: string;
  /** Of a credential. */
  readonly username?: string | undefined;
}

/** A key in KMS that signs logins or certificates. */
export interface WantedKmsKey {
  readonly kind: 'key' | 'authority';
  readonly reference: KmsReference;
  readonly place: Place;
  /** As of a stored key. */
  readonly from: string;
}

export interface WantedSecrets {
  /** Those of the command line first. Each reference once for each place that it is read from. */
  readonly secrets: readonly WantedSecret[];
  /** In the same order, and each once. */
  readonly kmsKeys: readonly WantedKmsKey[];
  /** References that cannot be parsed, and options that contradict each other. */
  readonly problems: readonly Finding[];
}

/** A line of `keys` that our agent signs with. */
export interface JobLine {
  readonly line: SigningKeyLine;
  readonly from: string;
}

/** Of the command line. A cache has credentials of its own, so it is not asked with a profile. */
export interface GivenAccount extends Omit<Place, 'cache'> {
  readonly profile?: string | undefined;
}

export interface NamedSecrets {
  readonly lines: readonly KeyLine[];
  /** Of the job or the exec around this process. */
  readonly jobLines: readonly JobLine[];
  readonly compiled: Compiled;
  readonly routes: Routes;
  /** Of all scopes. */
  readonly entries: readonly PlacedSetting[];
  /** Of the command line: it takes precedence over the settings. */
  readonly account: GivenAccount;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function wantedSecrets(named: NamedSecrets): WantedSecrets {
  const { lines, jobLines, compiled, routes, account, env } = named;
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
  const ofLines = lines.map((line): Placed => {
    return { line, place: placeOf(compiled.place, account), from: ofCommandLine };
  });
  // The roles of a host are not those of a job.
  const ofJob = jobLines.map((one): Placed => ({ ...one, place: placeOf(nowhere, account) }));
  const ofHost = compiled.keys.flatMap((key) => {
    const from = originOf(key, env);
    return parsed(
      from,
      (): Placed => ({ line: hostLine(key), place: placeOf(key.place, account), from }),
      () => completed(key, named.entries, env),
    );
  });
  const keys = [...ofLines, ...ofJob, ...ofHost];
  const credentials = routes.routes.flatMap(({ key }) =>
    parsed(key.place, () => fromCredential(key, account)),
  );
  return {
    secrets: once([...keys.flatMap(storedIn), ...credentials], identity),
    kmsKeys: once(keys.flatMap(kmsKeysIn), ({ reference, place }) => JSON.stringify([reference.text, place])),
    problems,
  };
}

const nowhere: Place = { region: undefined, roles: [] };

interface Placed {
  readonly line: KeyLine;
  readonly place: Place;
  readonly from: string;
}

/** The stored key of a line, and its stored authority. */
function storedIn({ line, place, from }: Placed): WantedSecret[] {
  const { reference, signing, ...more } = line;
  const authority = signing?.certificate?.authority;
  return [
    ...(isStored(reference) ? [{ kind: 'key', line: { ...more, reference }, place, from } as const] : []),
    ...(authority && isStored(authority)
      ? [{ kind: 'authority', line: { reference: authority, repositories: [] }, place, from } as const]
      : []),
  ];
}

function kmsKeysIn({ line: { reference, signing }, place, from }: Placed): WantedKmsKey[] {
  const authority = signing?.certificate?.authority;
  return [
    ...(reference.kind === 'kms' ? [{ kind: 'key', reference, place, from } as const] : []),
    ...(authority?.kind === 'kms' ? [{ kind: 'authority', reference: authority, place, from } as const] : []),
  ];
}

/** The last one of each kind, at the place of the first. */
function once<T>(all: readonly T[], kindOf: (one: T) => string): T[] {
  return [...new Map(all.map((one) => [kindOf(one), one])).values()];
}

/** The name of the setting that chooses the key. */
export function originOf({ pattern, reference }: HostKey, env: NamedSecrets['env']): string {
  if (pattern) return `[ssm "${patternText(pattern)}"]`;
  return env['SSM_SSH_KEY'] === reference ? 'SSM_SSH_KEY' : 'ssm.key';
}

export function placeOf(settings: Place, account: GivenAccount): Place {
  const roles = account.roles.length > 0 ? account.roles : settings.roles;
  const { cache } = settings;
  const isThrough = isCached({ cache, roles }) && account.profile === undefined;
  return { region: account.region ?? settings.region, roles, ...(isThrough && { cache }) };
}

/** Equal for the same references, read from the same place. */
function identity({ kind, line, place }: WantedSecret): string {
  const { reference, passphrase, certificate } = line;
  return JSON.stringify([kind, reference.text, passphrase?.text, certificate?.text, place]);
}

function fromCredential(named: NamedCredential, account: GivenAccount): WantedSecret {
  const { reference, place: from, username } = named;
  const line = { reference: parseCredentialReference(reference, from), repositories: [] };
  return { kind: 'credential', line, place: placeOf(named, account), from, username };
}
