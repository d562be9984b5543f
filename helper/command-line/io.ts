/** What a program has of the process that it runs in. Only an entry makes one of the real process. */
import type { SignalSource } from '../../src/process/attached.ts';
import type { Stdio } from '../proxy/carry.ts';

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
