/** Explains the key for a destination of ssh: an ordinary host, or an EC2 host. */
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { isProtected, type ScopedSetting } from '../../src/git/listing.ts';
import { askedSettings, compile, counts, type Compiled } from '../../src/host/compile.ts';
import {
  chooseKeys,
  passedSettings,
  type Choice,
  type ForeignCommand,
  type OfferedKey,
  type Situation,
  type Source,
} from '../../src/host/explain.ts';
import {
  bringsKey,
  isOurProgram,
  isOurs,
  isRemoteOf,
  programOf,
  type RemoteUrl,
} from '../../src/host/foreign-command.ts';
import { parseHostName } from '../../src/ec2/host-name.ts';
import { hostLine } from '../../src/host/host-line.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { shownCommand } from '../../src/keys/shown-text.ts';
import { explainEc2 } from './ec2.ts';
import { textOf, type Explanation } from './explanation.ts';
import { findJobUses } from './job-uses.ts';
import { refusalFor, signingLineOf } from './signing.ts';
import {
  askGit,
  hiddenFromSsh,
  listPlaced,
  remoteUrls,
  type Asking,
  type PlacedListing,
} from './surroundings.ts';

export interface SshQuestion {
  readonly remote: RemoteUrl;
  /** Whether git starts ssm-ssh, and not the user. */
  readonly isGit: boolean;
}

type Part = Omit<Explanation, 'asked' | 'rewritten'>;

export async function explainSsh({ remote, isGit }: SshQuestion, asking: Asking): Promise<Part> {
  const byGit = isGit && remote.path !== '';
  const env = isGit ? without(asking.env, hiddenFromSsh) : asking.env;
  const [listing, job] = await Promise.all([listPlaced(askedSettings, { ...asking, env }), findJobUses(env)]);
  const compiled = compile(listing, env, { byGit, jobRegion: '' });
  const situation: Situation = {
    ...{ remote, compiled, env, ...job },
    foreign: byGit
      ? await foreignCommand(remote, { listing, compiled, asking: { ...asking, env } })
      : undefined,
    sourceOf: (name) => sourceOf(listing, name, byGit),
  };
  const settings = passedSettings(listing.entries, listing.sources, (entry) => whyNot(entry, byGit));
  const notes = [...(isGit ? hiddenNotes(asking) : []), ...compiled.warnings, ...ignoredNotes(compiled)];
  const started = isGit ? await startedByGit(asking, listing) : undefined;
  if (parseHostName(remote.host)) {
    const ec2 = explainEc2(situation, { remote, isGit });
    const part = started ? { ...notStarted(ec2, remote, started), kind: ec2.kind } : ec2;
    return { ...part, passedOver: [...part.passedOver, ...settings], notes: [...part.notes, ...notes] };
  }
  const choice = chooseKeys(situation);
  const explained = started ? notStarted(choice, remote, started) : ofChoice(choice, remote, situation);
  const problems = explained.keys.flatMap((key) => [...problemOf(key), ...refusalOf(key, remote)]);
  return {
    ...explained,
    passedOver: [...explained.passedOver, ...settings],
    notes: [...notes, ...problems],
    offered: explained.offered && problems.length === 0,
  };
}

function without(env: Asking['env'], names: readonly string[]): Asking['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
}

/** The reason why a setting does not count; undefined: it does. The rule is that of compile(). */
function whyNot(entry: ScopedSetting, byGit: boolean): string | undefined {
  if (counts(entry, byGit)) return undefined;
  return byGit
    ? "a repository's own configuration cannot choose a key in KMS"
    : "a repository's own configuration only counts for git's commands";
}

/** The last entry of that name that counts. */
function sourceOf({ entries, sources }: PlacedListing, name: string, byGit: boolean): Source | undefined {
  const index = entries.findLastIndex((entry) => entry.name === name && counts(entry, byGit));
  return sources[index];
}

function hiddenNotes({ env }: Asking): string[] {
  const set = hiddenFromSsh.filter((name) => env[name] !== undefined && env[name] !== '');
  return set.map((name) => `git does not pass ${name} on to ssm-ssh: its settings do not count here`);
}

function ignoredNotes({ ignored }: Compiled): string[] {
  return ignored.map(
    (name) =>
      `${name} of the repository's own configuration is ignored: set it with git config --global or --system`,
  );
}

/** core.sshCommand of the repository counts only for its own remotes; GIT_SSH only without any core.sshCommand. */
async function foreignCommand(
  remote: RemoteUrl,
  { listing, compiled, asking }: { listing: PlacedListing; compiled: Compiled; asking: Asking },
): Promise<ForeignCommand | undefined> {
  const name = 'core.sshcommand';
  let command = compiled.command;
  let index = listing.entries.findLastIndex((entry) => entry.name === name);
  if (command !== '' && !isOurs(command) && !isRemoteOf(await remoteUrls(asking), remote)) {
    index = listing.entries.findLastIndex((entry) => entry.name === name && isProtected(entry));
    command = listing.entries[index]?.value ?? '';
  }
  if (isOurs(command)) command = '';
  const path = asking.env['GIT_SSH'] ?? '';
  if (command === '' && (path === '' || isOurProgram(path))) return undefined;
  const script = await scriptOf(command === '' ? path : programOf(command), asking.env);
  const ofEnvironment = { name: 'GIT_SSH', scope: 'environment' };
  if (command === '') return { command: path, source: ofEnvironment, bringsKey: bringsKey(path, script) };
  const source = listing.sources[index] ?? { name, scope: 'unknown' };
  return { command, source, bringsKey: bringsKey(command, script) };
}

/** The text of a script; undefined for ssh itself, and for what is no script. */
async function scriptOf(program: string, env: Asking['env']): Promise<string | undefined> {
  if (program === '' || program.slice(program.lastIndexOf('/') + 1) === 'ssh') return undefined;
  const folders = program.includes('/') ? [''] : (env['PATH'] ?? '').split(delimiter);
  for (const folder of folders) {
    const text = await readFile(folder === '' ? program : join(folder, program), 'latin1').catch(
      () => undefined,
    );
    if (text !== undefined) return text;
  }
  return undefined;
}

interface Started {
  readonly command: string;
  readonly why: string;
}

/** What git starts instead of ssm-ssh. undefined: git starts ssm-ssh. @source git-config(1), core.sshCommand; git(1) */
async function startedByGit(asking: Asking, listing: PlacedListing): Promise<Started | undefined> {
  const { env } = asking;
  const command = env['GIT_SSH_COMMAND'];
  if (command) return isOurs(command) ? undefined : { command, why: 'GIT_SSH_COMMAND says so' };
  const configured = await askGit(['config', '--get', 'core.sshCommand'], asking);
  if (configured) {
    const source = sourceOf(listing, 'core.sshcommand', true);
    const why = `core.sshCommand says so${source ? `: ${textOf(source)}` : ''}`;
    return isOurs(configured) ? undefined : { command: configured, why };
  }
  const program = env['GIT_SSH'];
  if (program) return isOurProgram(program) ? undefined : { command: program, why: 'GIT_SSH says so' };
  return { command: 'ssh', why: 'neither GIT_SSH_COMMAND nor core.sshCommand is set' };
}

function nameOf({ host, port, path }: RemoteUrl): string {
  const address = port === undefined ? host : `${host}:${String(port)}`;
  return path === '' ? address : `${address}/${path.replace(/\.git\/*$/, '')}`;
}

function notStarted(
  { keys, passedOver }: Pick<Choice, 'keys' | 'passedOver'>,
  remote: RemoteUrl,
  { command, why }: Started,
): Part {
  const skipped = keys.map((key) => ({
    what: key.reference ?? key.fingerprint ?? '',
    source: key.source,
    why: 'ssm-ssh would offer it, but git does not start ssm-ssh',
  }));
  return {
    ...{ kind: 'ssh', offered: false, keys: [], notes: [] },
    isForeign: !/^(\S*\/)?ssh(\s|$)/.test(command) || bringsKey(command, undefined),
    answer: `no key of AWS is offered for ${nameOf(remote)}: git starts ${shownCommand(command)}, not ssm-ssh`,
    why,
    passedOver: [...skipped, ...passedOver],
  };
}

function ofChoice({ by, keys, why, passedOver }: Choice, remote: RemoteUrl, { foreign }: Situation): Part {
  const names = keys.map(({ reference, fingerprint }) => reference ?? fingerprint ?? '');
  const where = nameOf(remote);
  const common = { kind: 'ssh', why, keys, passedOver, notes: [], offered: keys.length > 0 } as const;
  if (by === 'ssh')
    return { ...common, answer: `no key of AWS is offered for ${where}: ssm-ssh starts plain ssh` };
  if (by !== 'command') return { ...common, answer: `${names.join(', ')} is offered for ${where}` };
  const command = `${shownCommand(foreign?.command ?? '')} (${foreign ? textOf(foreign.source) : ''})`;
  const answer =
    keys.length === 0
      ? `no key of AWS is offered for ${where}: ssm-ssh starts ${command}`
      : `${names.join(', ')} is offered for ${where}, by ${command}`;
  return { ...common, answer, isForeign: keys.length === 0 };
}

function refusalOf(key: OfferedKey, remote: RemoteUrl): string[] {
  const line = signingLineOf(key);
  const refusal = line && refusalFor(line, remote);
  return refusal === undefined ? [] : [refusal];
}

/** ssm-ssh refuses such a key when it reads it. */
export function problemOf({ reference, of, line }: OfferedKey): string[] {
  if (reference === undefined || line) return [];
  try {
    if (typeof of === 'object') hostLine(of);
    else parseReference(reference.trim());
    return [];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [`ssm-ssh will fail: ${error.code}: ${error.message}; ${error.hint}`];
  }
}
