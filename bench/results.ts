/** What `npm run bench` measured: the form of results.json. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { spread, type Round, type Spread } from './measure.ts';

export interface Measured {
  /** Milliseconds. */
  readonly wall: Spread;
  readonly processor?: Spread;
}

export interface Figure extends Spread {
  /** `ms`, `MB/s`, `bytes`; empty for a ratio or a number of things. */
  readonly unit: string;
}

export interface SectionResult {
  readonly date: string;
  readonly rounds: number;
  /** Load averages of the machine over one minute, at the start and at the end. */
  readonly load: readonly [start: number, end: number];
  readonly ways: Readonly<Record<string, Measured>>;
  readonly figures: Readonly<Record<string, Figure>>;
  readonly table?: { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };
  /** What could not be run, with the reason. */
  readonly notRun: readonly string[];
}

export interface Results {
  readonly machine: Readonly<Record<string, string>>;
  readonly sections: Readonly<Record<string, SectionResult>>;
}

export interface SectionOptions {
  readonly rounds: number;
  readonly folder: string;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What is compared, and how. Markdown. */
  readonly about: string;
  readonly run: (options: SectionOptions) => Promise<Omit<SectionResult, 'date' | 'load' | 'rounds'>>;
}

const file = join(import.meta.dirname, 'results.json');

export function readResults(): Results {
  if (!existsSync(file)) return { machine: {}, sections: {} };
  return JSON.parse(readFileSync(file, 'utf8')) as Results;
}

export function waysOf(rounds: readonly Round[]): Record<string, Measured> {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const samples = rounds.flatMap((round) => round[name] ?? []);
      const processor = samples.flatMap((sample) => sample.processor ?? []);
      const wall = spread(samples.map((sample) => sample.wall));
      return [name, { wall, ...(processor.length > 0 && { processor: spread(processor) }) }];
    }),
  );
}

/** A figure of each round, such as a ratio of two ways. */
export function figureOf(rounds: readonly Round[], of: (round: Round) => number, unit = ''): Figure {
  return { ...spread(rounds.map(of)), unit };
}

export function single(value: number, unit = ''): Figure {
  return { median: value, min: value, max: value, unit };
}

/** On a busy machine, the fastest runs differ less than the medians. @returns milliseconds */
export function fastest(rounds: readonly Round[], ...names: readonly string[]): number {
  const least = (name: string): number => Math.min(...rounds.map((round) => wall(round, name)));
  return names.reduce((sum, name) => sum + least(name), 0);
}

/** @throws if a round has no such way */
export function wall(round: Round, ...names: readonly string[]): number {
  return names.reduce((sum, name) => sum + found(round, name).wall, 0);
}

export function processor(round: Round, ...names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (found(round, name).processor ?? NaN), 0);
}

function found(round: Round, name: string): Round[string] {
  const sample = round[name];
  if (!sample) throw new Error(`${name} was not measured`);
  return sample;
}

const first = (text: string): string => text.trim().split('\n')[0] ?? '';

function versionOf(program: string, ...args: readonly string[]): string {
  try {
    const both = ['-c', '"$@" 2>&1', 'sh', program, ...args];
    return first(execFileSync('sh', both, { encoding: 'utf8' }));
  } catch {
    return 'not installed';
  }
}

export function machine(): Record<string, string> {
  return {
    processor: `${cpus()[0]?.model.trim() ?? ''}, ${availableParallelism()} cores`,
    memory: `${Math.round(totalmem() / 1e9)} GB`,
    system: `${process.platform} ${release()}`,
    Node: process.version,
    OpenSSH: versionOf('ssh', '-V'),
    git: versionOf('git', '--version'),
    'AWS CLI': versionOf(awsCli() ?? 'aws', '--version'),
    sh: versionOf('readlink', '-f', '/bin/sh'),
  };
}

export function loadNow(): number {
  return loadavg()[0] ?? NaN;
}

/** Debian's AWS CLI, or the first on PATH. A version manager's shim would be measured, too, so its target is used. */
export function awsCli(): string | undefined {
  if (existsSync('/usr/bin/aws')) return '/usr/bin/aws';
  try {
    const which = 'pyenv which aws 2>/dev/null || command -v aws';
    return first(execFileSync('sh', ['-c', which], { encoding: 'utf8' }));
  } catch {
    return undefined;
  }
}
