/** Which key ssm-ssh would offer for a destination, from which setting, and why. Pure; helper/ssm-ssh decides by the same order. */
import type { ScopedSetting } from '../git/listing.ts';
import type { SigningKeyLine } from '../keys/key-line.ts';
import { matchRoutes, patternText, type Remote, type Route } from '../keys/routes.ts';
import { shownCommand } from '../keys/shown-text.ts';
import { pick, type Compiled, type HostKey } from './compile.ts';
import type { Environment } from './settings.ts';

/** Where a value is written. */
export interface Source {
  /** The setting or the variable. */
  readonly name: string;
  /** git's name of the scope; `environment` for a variable, `job` for a route of the action or of exec. */
  readonly scope: string;
  /** Absolute, if it is a file. */
  readonly file?: string | undefined;
  /** From 1. undefined: it cannot be told with certainty. */
  readonly line?: number | undefined;
}

export interface OfferedKey {
  /** As written; undefined: only its fingerprint is known, as of a stored key of a job. */
  readonly reference: string | undefined;
  readonly fingerprint: string | undefined;
  /** undefined: a default key. */
  readonly repository: string | undefined;
  readonly source: Source;
  /** The key of git's configuration, or the number of a job's key. undefined: a credential. */
  readonly of?: HostKey | number;
  /** Of a job's key that our agent signs with. */
  readonly line?: SigningKeyLine | undefined;
}

export interface PassedOver {
  readonly what: string;
  readonly source: Source | undefined;
  readonly why: string;
}

/** The routes of one use of the action, or of exec. */
export interface JobUse {
  readonly folder: string;
  readonly routes: readonly JobRoute[];
}

export interface JobRoute extends Route<number> {
  readonly fingerprint: string;
  /** Only of a key that our agent signs with. */
  readonly line?: SigningKeyLine | undefined;
}

/** An ssh command that is not ours, from core.sshCommand or GIT_SSH. */
export interface ForeignCommand {
  readonly command: string;
  readonly source: Source;
  readonly bringsKey: boolean;
}

export interface Situation {
  readonly remote: Remote;
  readonly compiled: Compiled;
  readonly env: Environment;
  /** The latest use first. Empty: not in a job. */
  readonly uses: readonly JobUse[];
  /** Whether the job also uses the keys of git's configuration: the command of exec does not. */
  readonly usesHostKeys: boolean;
  /** The one that counts for this destination; undefined without a repository. */
  readonly foreign: ForeignCommand | undefined;
  /** Where a setting of git's configuration is written, by its name. */
  readonly sourceOf: (name: string) => Source | undefined;
}

export interface Choice {
  /** `command`: another ssh command, with the keys as its own if there are any. `ssh`: plain ssh. */
  readonly by: 'route' | 'section' | 'default' | 'command' | 'ssh';
  readonly keys: readonly OfferedKey[];
  readonly why: string;
  readonly passedOver: readonly PassedOver[];
}

const sshPort = 22;

/** For hosts that are not EC2 hosts. */
export function chooseKeys(situation: Situation): Choice {
  const { foreign } = situation;
  const candidates = candidatesOf(situation);
  const { route, section, jobDefault, hostDefault } = candidates;
  const defaults = jobDefault.length > 0 ? jobDefault : hostDefault;
  const chosen = ((): Omit<Choice, 'passedOver'> => {
    if (route.length > 0) return { by: 'route', keys: route, why: 'a line of keys names the repository' };
    if (section.length > 0) return { by: 'section', keys: section, why: whySection(section) };
    if (foreign && (foreign.bringsKey || defaults.length === 0)) {
      const own = foreign.bringsKey ? 'it brings a key of its own' : 'there is no default key';
      return { by: 'command', keys: [], why: `no section names the repository, and ${own}` };
    }
    if (defaults.length === 0)
      return { by: 'ssh', keys: [], why: 'no section names it, and there is no default key' };
    const by = foreign ? 'command' : 'default';
    return { by, keys: defaults, why: 'no section names it, so the default key is used' };
  })();
  return { ...chosen, passedOver: passedOverBy(chosen, situation) };
}

function whySection([first, ...others]: readonly OfferedKey[]): string {
  const name = first?.repository ?? '';
  if (others.length > 0)
    return `several keys have the same pattern ${name}: the host takes the first that it knows`;
  return `the section [ssm "${sectionOf(first?.source.name ?? '')}"] names it`;
}

function sectionOf(setting: string): string {
  return setting.replace(/^ssm\./, '').replace(/\.[^.]*$/, '');
}

export interface Candidates {
  /** Keys of the job that name the destination. */
  readonly route: readonly OfferedKey[];
  /** Keys of git's configuration that name it. */
  readonly section: readonly OfferedKey[];
  readonly jobDefault: readonly OfferedKey[];
  readonly hostDefault: readonly OfferedKey[];
}

/** The keys for the destination, by the matcher of all programs. */
export function candidatesOf(situation: Situation): Candidates {
  const { remote, compiled, usesHostKeys, uses } = situation;
  const named = pick({ keys: compiled.keys.filter(({ pattern }) => pattern) }, remote);
  const defaults = pick({ keys: compiled.keys.filter(({ pattern }) => !pattern) }, remote);
  const offered = (keys: readonly HostKey[]): OfferedKey[] =>
    uses.length > 0 && !usesHostKeys ? [] : keys.map((key) => ofHost(key, situation));
  return {
    route: ofJob(situation, (route) => route.repositories.length > 0),
    section: offered(named),
    jobDefault: ofJob(situation, (route) => route.repositories.length === 0),
    hostDefault: offered(defaults),
  };
}

/** Of equal patterns, those of the use that is read first. */
function ofJob({ uses, remote }: Situation, counts: (route: JobRoute) => boolean): OfferedKey[] {
  const routes = uses.flatMap((use) =>
    use.routes.filter(counts).map((route) => ({ ...route, key: { use, route } })),
  );
  const matched = matchRoutes(routes, remote, sshPort);
  const [first] = matched;
  const inFirst = matched.filter(({ use }) => use === first?.use);
  const unique = new Map(inFirst.map((one) => [one.route.key, one]));
  return [...unique.values()].map(({ use, route }) => ofRoute(use, route));
}

function ofRoute({ folder }: JobUse, { fingerprint, key, repositories, line }: JobRoute): OfferedKey {
  const [pattern] = repositories;
  return {
    reference: line?.reference.text,
    fingerprint,
    of: key,
    line,
    repository:
      pattern && patternText(pattern.port === sshPort ? { host: pattern.host, path: pattern.path } : pattern),
    source: { name: `key ${String(key + 1)} of keys`, scope: 'job', file: `${folder}/routes` },
  };
}

export function ofHost(key: HostKey, { env, sourceOf }: Situation): OfferedKey {
  const { reference, pattern, section } = key;
  const byVariable = section === undefined && Boolean(env['SSM_SSH_KEY']);
  const name = section === undefined ? 'ssm.key' : `ssm.${section}.key`;
  const unknown = { name, scope: 'unknown' };
  const source = byVariable ? { name: 'SSM_SSH_KEY', scope: 'environment' } : (sourceOf(name) ?? unknown);
  const repository = pattern && patternText(pattern);
  return { reference, fingerprint: undefined, repository, source, of: key };
}

/** Keys that are configured and not offered, and the ssh command that is not used. */
export function passedOverBy(chosen: Pick<Choice, 'by' | 'keys'>, situation: Situation): PassedOver[] {
  const { compiled, uses, foreign } = situation;
  const isOffered = (source: Source, text: string): boolean =>
    chosen.keys.some((key) => key.source.name === source.name && (key.reference ?? key.fingerprint) === text);
  const ofConfiguration = compiled.keys.map((key) => ({
    ...ofHost(key, situation),
    routed: { key, repositories: key.pattern ? [key.pattern] : [] },
  }));
  const ofUses = uses.flatMap((use) =>
    use.routes.map((route) => ({ ...ofRoute(use, route), routed: { ...route, key: route } })),
  );
  const keys = [...ofUses, ...ofConfiguration].filter(
    ({ source, reference, fingerprint }) => !isOffered(source, reference ?? fingerprint ?? ''),
  );
  const skipped = keys.map(({ routed, source, reference, fingerprint }) => ({
    what: reference ?? fingerprint ?? '',
    source,
    why: reasonFor(routed, chosen, situation),
  }));
  const command = foreign && chosen.by !== 'command' ? [passedCommand(foreign)] : [];
  return [...skipped, ...command];
}

function passedCommand({ command, source }: ForeignCommand): PassedOver {
  return { what: shownCommand(command), source, why: 'a key that names the repository takes precedence' };
}

function reasonFor(route: Route<unknown>, { by }: Pick<Choice, 'by'>, situation: Situation): string {
  const { remote, uses, usesHostKeys } = situation;
  if (uses.length > 0 && !usesHostKeys && isHostKey(route))
    return 'the command of exec uses the keys of exec only';
  const isDefault = route.repositories.length === 0;
  if (isDefault) {
    if (by === 'route' || by === 'section')
      return 'it is a default key, and another key names the destination';
    if (by === 'command') return "the repository's own ssh command brings a key";
    return by === 'default' ? 'another default key takes precedence' : 'a default key never serves EC2 hosts';
  }
  if (matchRoutes([route], remote, sshPort).length === 0) return 'it names something else';
  return by === 'route' && isHostKey(route) ? 'a key of the job takes precedence' : 'it is less specific';
}

/** A key of a job has a number for a key. */
function isHostKey({ key }: Route<unknown>): boolean {
  return typeof key === 'object' && key !== null && 'place' in key;
}

/** Values that an other value of the same name replaces, and settings that do not count here. */
export function passedSettings(
  entries: readonly ScopedSetting[],
  sources: readonly (Source | undefined)[],
  counts: (entry: ScopedSetting) => string | undefined,
): PassedOver[] {
  return entries.flatMap((entry, index) => {
    const { name, value = '' } = entry;
    if (!/^ssm\.(.*\.)?(key|credential)$/.test(name)) return [];
    const what = value === '' ? name : value;
    const source = sources[index];
    const reason = counts(entry);
    if (reason !== undefined) return [{ what, source, why: reason }];
    const isReplaced = entries.some(
      (later, at) => at > index && later.name === name && counts(later) === undefined,
    );
    if (isReplaced) return [{ what, source, why: 'a later value of the same name counts' }];
    return value === '' ? [{ what, source, why: 'an empty value means: not set' }] : [];
  });
}
