/**
 * Random command lines of ssh, read by helper/ssm-ssh, by our second reading, and by ssh itself. They must agree on host,
 * port and user; and the script must see what the user chose: a key, an agent, a way, a shared connection.
 */
import { userInfo } from 'node:os';
import type { Shell } from '../../support/shells.ts';
import { commandLines } from './command-lines.ts';
import { hasOddQuotes, readArguments, type Reading } from './reading.ts';
import { readByShell, readBySsh, type ShellReading, type SshReading } from './readings.ts';

export interface FuzzOutcome {
  readonly lines: number;
  /** Those that ssh accepts, so that it can be compared. */
  readonly accepted: number;
  /** Those with our options in them, as the script arranges them. */
  readonly arranged: number;
  /** One text for each line that is not read alike. */
  readonly differing: readonly string[];
}

/** Of so many accepted lines, ssh reads one again, with our options in it. */
const arrangedEvery = 10;
const batch = 1000;

export function fuzzArguments(count: number, seed: number, shell?: Shell): FuzzOutcome {
  const all = commandLines(count, seed);
  const starts = Array.from({ length: Math.ceil(count / batch) }, (_, number) => number * batch);
  const outcomes = starts.map((first) => compareLines(all.slice(first, first + batch), shell));
  const sum = (name: 'accepted' | 'arranged'): number => outcomes.reduce((so, one) => so + one[name], 0);
  return {
    ...{ lines: count, accepted: sum('accepted'), arranged: sum('arranged') },
    differing: outcomes.flatMap((outcome) => outcome.differing),
  };
}

export function compareLines(lines: readonly (readonly string[])[], shell?: Shell): FuzzOutcome {
  const [byShell, bySsh] = [readByShell(lines, shell), readBySsh(lines)];
  const differing = lines.flatMap((line, at) => {
    const [ours, theirs] = [byShell[at], bySsh[at]];
    if (!ours) throw new Error('the shell ended before the last line');
    const found = [...differsFromModel(ours, readArguments(line)), ...differsFromSsh(ours, line, theirs)];
    return found.length > 0 ? `${JSON.stringify(line)}: ${found.join('; ')}` : [];
  });
  const accepted = lines.flatMap((line, at) =>
    bySsh[at] ? { line, ours: byShell[at], theirs: bySsh[at] } : [],
  );
  const arranged = arrange(accepted.filter((_, at) => at % arrangedEvery === 0));
  return {
    ...{ lines: lines.length, accepted: accepted.length, arranged: arranged.count },
    differing: [...differing, ...arranged.differing],
  };
}

const differ = (name: string, [one, other]: readonly [unknown, unknown], who: string): string[] =>
  one === other ? [] : [`${name} ${JSON.stringify(one)}, ${who} ${JSON.stringify(other)}`];

/** The second reading and the script. What ssh refuses, or not every ssh knows, is not compared. */
function differsFromModel(ours: ShellReading, reading: Reading): string[] {
  if (reading.isOdd || ours.unknown !== '') return [];
  const who = 'second reading';
  return [
    ...differ('target', [ours.target, reading.target ?? ''], who),
    ...differ('command', [ours.command, reading.command.join(' ')], who),
    ...differ('probe', [ours.probe !== '', reading.isProbe], who),
    ...(ours.target === '' ? [] : differ('host', [ours.host, lowered(reading.host)], who)),
    ...(ours.target === '' ? [] : differ('port', [ours.port, String(reading.port ?? 22)], who)),
  ];
}

function differsFromSsh(ours: ShellReading, line: readonly string[], theirs: SshReading): string[] {
  if (!theirs || ours.unknown !== '') return [];
  const [host = '', port, user = ''] = ['host', 'port', 'user'].map((name) => theirs.get(name)?.[0]);
  const reading = readArguments(line);
  return [
    ...differ('target', [ours.target === '', reading.target === ''], 'second reading'),
    ...(ours.target === '' ? [] : differ('host', [ours.host, lowered(host)], 'ssh')),
    ...(ours.target === '' || (ours.own_key !== '' && hasOdd(line))
      ? []
      : differ('port', [ours.port, port], 'ssh')),
    ...differ('second reading: host', [lowered(reading.host), lowered(host)], 'ssh'),
    ...differ('second reading: port', [String(reading.port ?? 22), port], 'ssh'),
    ...differ('second reading: user', [reading.user ?? userInfo().username, user], 'ssh'),
    // The script only has to know whether the user's name can end a quotation of a shell.
    ...(user.includes("'") && ours.refused === '' ? [`the user ${user} is not refused`] : []),
    ...choices(ours, theirs),
  ];
}

/** Settings whose keyword has odd quotes: the script leaves everything to ssh. */
const hasOdd = (line: readonly string[]): boolean =>
  line.some((word) => hasOddQuotes(word.replace(/^-\w*?o/, '')));

/** What somebody chose, as ssh shows it, and whether the script saw that. */
function choices(ours: ShellReading, theirs: NonNullable<SshReading>): string[] {
  const has = (name: string): boolean => theirs.has(name);
  const first = (name: string): string => theirs.get(name)?.[0] ?? '';
  const seen = (what: string, is: boolean, noted: string): string[] =>
    is && noted === '' ? [`${what} is not seen`] : [];
  const { own_key, own_way, own_control, forwards, forwards_option } = ours;
  const isAddress = /^[\d.]+$|:/.test(first('hostname')) && !/[g-z]/i.test(first('host'));
  const isOff = ['a', 'no'].includes(forwards || forwards_option);
  return [
    ...seen('a key', !first('identityfile').startsWith('~/.ssh/id_'), own_key),
    ...seen('an agent', has('identityagent'), own_key),
    ...seen('a shared connection', has('controlpath') || first('controlmaster') !== 'false', own_control),
    ...seen('a way', has('proxycommand') || has('proxyjump'), own_way),
    // ssh shows an address, and a number, in the usual form of addresses.
    ...seen('another address', !isAddress && lowered(first('hostname')) !== lowered(first('host')), own_way),
    // A path behind `no` is shown, but not used.
    ...(isOff && first('forwardagent') === 'yes' ? ['forwards the agent'] : []),
  ];
}

interface Chosen {
  readonly line: readonly string[];
  readonly ours: ShellReading | undefined;
  readonly theirs: SshReading;
}

/** With our option where the script puts it, ssh reads the same host, port and user, and our option. */
function arrange(chosen: readonly Chosen[]): { count: number; differing: string[] } {
  const lines = chosen.map(({ line, ours }) => {
    const end = Number(ours?.options_end);
    return [...line.slice(0, end), '-o', 'GlobalKnownHostsFile=/of/ours', ...line.slice(end)];
  });
  const differing = readBySsh(lines).flatMap((settings, at) => {
    const before = chosen[at]?.theirs;
    const wrong = ['host', 'port', 'user'].filter(
      (name) => settings?.get(name)?.[0] !== before?.get(name)?.[0],
    );
    if (settings?.get('globalknownhostsfile')?.[0] !== '/of/ours') wrong.push('our option');
    return wrong.length === 0 ? [] : [`${JSON.stringify(lines[at])}: with our options: ${wrong.join()}`];
  });
  return { count: lines.length, differing };
}

const lowered = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
