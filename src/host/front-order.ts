/**
 * What the process of the agent in front is told when it starts, and what it answers: JSON, one line each way. Both ends
 * are of the same version. Pure.
 */
import type { Role } from '../aws/caller.ts';
import { Failure, type Code } from '../errors.ts';
import type { SigningKeyLine } from '../keys/key-line.ts';
import type { PublicKey } from '../keys/public-key.ts';
import type { RulePlace } from '../keys/rule-place.ts';
import type { ReadOptions } from './call-aws.ts';

export interface FrontOrder {
  readonly keys: readonly SigningOrder[];
  /** How AWS is called. */
  readonly wanted: FrontWanted;
  /**
   * Milliseconds since 1970 when the keys have to be open: a little before whoever waits gives up, because only this
   * process knows what it waited for. Default: the time limit, from the start of the process.
   */
  readonly openBy?: number | undefined;
  /** Hints for missing values. */
  readonly missing: ReadOptions['missing'];
  /** Secret: it may have credentials. For the AWS SDK, and for the names of the run. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether the agent ends with its input, and not only with its keys: its parent is gone then. */
  readonly endsWithInput: boolean;
}

/** What the starter of the process adds is left out. */
export type Order = Omit<FrontOrder, 'endsWithInput'>;

export interface SigningOrder {
  readonly line: SigningKeyLine;
  /** Seconds; 0 for no limit. */
  readonly lifetime: number;
  /** Files in known_hosts form. The first has the pinned keys. */
  readonly knownHosts: readonly string[];
  /** Where the line's rules are written, for hints. Default: a line. */
  readonly writtenIn?: RulePlace | undefined;
  /** Gets the line of the certificate when a new one is made; absent: nobody reads it. */
  readonly certificateFile?: string | undefined;
  /** A file that is written when all uses of the key are taken. */
  readonly spentFile?: string | undefined;
}

export interface FrontWanted {
  readonly regions: readonly string[];
  readonly role: Role | null;
  readonly allowedAccounts: readonly string[];
  readonly maxAttempts: number;
  readonly timeoutSeconds: number;
}

/** A key that the agent serves. */
export interface ServedKey {
  readonly publicKey: PublicKey;
  /** `TYPE BASE64 COMMENT` */
  readonly certificate?: string | undefined;
  /** ARN of the key in KMS or of the stored key; empty for a key that was made for this use. */
  readonly arn: string;
  /** The version of a stored key; empty for others. */
  readonly version: string;
}

export type FrontAnswer = { readonly said: readonly Said[] } & (
  { readonly pid: number; readonly keys: readonly ServedKey[] } | { readonly failure: SaidFailure }
);

export interface SaidFailure extends Pick<Failure, 'code' | 'message' | 'hint'> {
  /** The code of the system's error behind it: `EADDRINUSE`. */
  readonly systemCode?: string | undefined;
}

export interface Said {
  readonly kind: 'info' | 'warn';
  readonly text: string;
}

/** One line: JSON escapes line feeds. */
export function writeLine(value: FrontOrder | FrontAnswer): string {
  return `${JSON.stringify(value)}\n`;
}

/** @throws SyntaxError */
export function readOrder(line: string): FrontOrder {
  return JSON.parse(line, unpacked) as FrontOrder;
}

/** @throws SyntaxError */
export function readAnswer(line: string): FrontAnswer {
  return JSON.parse(line, unpacked) as FrontAnswer;
}

export function sayFailure(failure: Failure): SaidFailure {
  const { code, message, hint } = failure;
  return { code, message, hint, systemCode: systemCodeOf(failure) };
}

export function failureIn({ code, message, hint, systemCode }: SaidFailure): Failure {
  const cause =
    systemCode === undefined ? undefined : Object.assign(new Error(message), { code: systemCode });
  return new Failure(code satisfies Code, message, { hint, cause });
}

/** Whether another agent listens on the socket. */
export function isTaken(error: unknown): boolean {
  return error instanceof Failure && error.code === 'AGENT_FAILED' && systemCodeOf(error) === 'EADDRINUSE';
}

function systemCodeOf({ cause }: Failure): string | undefined {
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/** Buffers, as their toJSON writes them. */
function unpacked(_: string, value: unknown): unknown {
  const { type, data } = (value ?? {}) as { readonly type?: unknown; readonly data?: unknown };
  return type === 'Buffer' && Array.isArray(data) ? Buffer.from(data as number[]) : value;
}
