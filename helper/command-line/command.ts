/** A subcommand of ssm-ssh-agent: its options, its help text, and its function. Pure. */
import type { Readable } from 'node:stream';
import { common, type Line, type Options } from './parse.ts';
import type { SignalSource } from '../../src/process/attached.ts';
import type { Stdio } from '../proxy/carry.ts';

/** The process as a program sees it. Only an entry point makes one from the real process. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard output: only what was asked for. */
  out(text: string): void;
  /** Standard error: messages for people. */
  err(text: string): void;
  readonly signals: SignalSource;
  /** The process as one end of a connection, which its standard input and output carry. */
  stdio(): Stdio;
  /** Standard input, for a command that reads a text. */
  input(): Input;
  /** Whether one of standard input, output and error is a terminal. */
  readonly terminal: boolean;
  /** The folder that has helper/ and package.json in it. */
  readonly installation: string;
  /** The Node that runs this. */
  readonly node: string;
  /** From now on the AWS SDK takes its credentials from this profile. */
  useProfile(name: string): void;
}

export interface Input {
  readonly stream: Readable;
  readonly isTerminal: boolean;
  /** Turns the terminal's echo off and on. Absent if it is none. */
  readonly setRaw?: ((on: boolean) => void) | undefined;
}

/** The process while a command runs. The signal is aborted on an interrupt, and when loading takes too long. */
export interface Running extends Io {
  readonly signal: AbortSignal;
  /** Waits for what a person types or another program sends. The time limit starts anew after it. */
  untimed<T>(work: Promise<T>): Promise<T>;
}

export interface Command<O extends Options = Options> {
  readonly name: string;
  readonly summary: string;
  /** What follows the name. */
  readonly synopsis: string;
  /** Lines to type, and what they do. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  readonly options: O;
  /** The common options that have an effect on the command, if not all have. It accepts the others, too. */
  readonly common?: readonly (keyof typeof common)[];
  /** @returns the exit code */
  run(line: Line<O>, running: Running): Promise<number>;
}

/** Drops the types of the options, which only the command itself needs. */
export function command<const O extends Options>(definition: Command<O>): Command {
  return definition;
}

/** The common options that have an effect on the command: those of its help and its completions. */
export function commonOptionsOf({ common: names }: Command): Options {
  return Object.fromEntries(
    Object.entries(common).filter(([option]) => names?.includes(option as keyof typeof common) ?? true),
  );
}

/** Those that it accepts without an effect. */
export function idleOptionsOf(command: Command): string[] {
  const shown = commonOptionsOf(command);
  return Object.keys(common).flatMap((option) => (Object.hasOwn(shown, option) ? [] : [`--${option}`]));
}

export function helpOf(command: Command): string {
  const { name, summary, synopsis, examples, options } = command;
  const shown = examples.map(([line, does]) => `  # ${does}\n  ssm-ssh-agent ${line}`);
  const idle = idleOptionsOf(command);
  return `${[
    `${summary}:\n`,
    `${shown.join('\n\n')}\n`,
    `Usage: ssm-ssh-agent ${name} ${synopsis}\n`,
    ...(Object.keys(options).length > 0 ? [`Options:\n${table(options)}\n`] : []),
    `Common options:\n${table(commonOptionsOf(command))}`,
    ...(idle.length > 0 ? [`\nWithout effect here: ${idle.join(', ')}`] : []),
  ].join('\n')}\n`;
}

function table(options: Options): string {
  const rows = Object.entries(options).map(
    ([name, { value, help }]) => [`--${name}${value === undefined ? '' : ` ${value}`}`, help] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
