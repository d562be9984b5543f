/** A subcommand of ssm-ssh-agent: what it takes, what help says of it, and what it does. Pure. */
import { common, type Line, type Options } from './parse.ts';
import type { SignalSource } from '../../src/process/attached.ts';
import type { Stdio } from '../proxy/carry.ts';

/** What a program has of the process that it runs in. Only an entry makes one of the real process. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard output: what was asked for, and nothing else. */
  out(text: string): void;
  /** Standard error: what people are told. */
  err(text: string): void;
  readonly signals: SignalSource;
  /** The process as one end of a connection, which its standard input and output carry. */
  stdio(): Stdio;
  /** Whether people at a terminal are there. */
  readonly terminal: boolean;
  /** The folder that has helper/ and package.json in it. */
  readonly installation: string;
  /** The Node that runs this. */
  readonly node: string;
  /** From now on the AWS SDK takes its credentials from this profile. */
  useProfile(name: string): void;
}

/** A program's process while a command runs: the signal is aborted when it is interrupted, or loading takes too long. */
export interface Running extends Io {
  readonly signal: AbortSignal;
}

export interface Command<O extends Options = Options> {
  readonly name: string;
  readonly summary: string;
  /** What follows the name. */
  readonly synopsis: string;
  /** Lines to type, and what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  readonly options: O;
  /** Of the common options those that change what it does, where that is not all of them. */
  readonly common?: readonly (keyof typeof common)[];
  /** @returns the exit code */
  run(line: Line<O>, running: Running): Promise<number>;
}

/** Forgets the options' types, which the command itself needs alone. */
export function command<const O extends Options>(definition: Command<O>): Command {
  return definition;
}

export function helpOf(command: Command): string {
  const { name, summary, synopsis, examples, options } = command;
  const shared = Object.entries(common).filter(
    ([option]) => command.common?.includes(option as keyof typeof common) ?? true,
  );
  const shown = examples.map(([line, does]) => `  # ${does}\n  ssm-ssh-agent ${line}`);
  return `${[
    `${summary}:\n`,
    `${shown.join('\n\n')}\n`,
    `Usage: ssm-ssh-agent ${name} ${synopsis}\n`,
    ...(Object.keys(options).length > 0 ? [`Options:\n${table(options)}\n`] : []),
    `Common options:\n${table(Object.fromEntries(shared))}`,
  ].join('\n')}\n`;
}

function table(options: Options): string {
  const rows = Object.entries(options).map(
    ([name, { value, help }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
