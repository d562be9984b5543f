/** Where key text comes from: what every store answers, whatever it is. */
import type { Connection } from '../aws/connection.ts';
import type { Credentials } from '../aws/caller.ts';
import type { Failure } from '../errors.ts';
import type { Reference } from '../keys/reference.ts';

export interface Secret {
  readonly reference: Reference;
  /** Secret. As it is stored. */
  readonly text: string;
  /** The version that was read, to be told apart from a rotated one. */
  readonly version: string;
  readonly arn: string;
  /** Whether the store keeps it encrypted. */
  readonly encrypted: boolean;
}

export type Outcome = Secret | Failure;

/** One store in one region. */
export interface SecretSource<Kind extends Reference> {
  /**
   * One outcome for each reference, in no promised order; what concerns a single reference is never thrown.
   *
   * @param references no two of the same identity
   */
  read(references: readonly Kind[]): Promise<Outcome[]>;
}

/** What a store is reached with. */
export interface SourceOptions {
  readonly connection: Connection;
  /** Absent: the AWS SDK's default chain. */
  readonly credentials?: Credentials;
  readonly region: string;
  /** Aborted reads reject with its reason. */
  readonly signal: AbortSignal;
}
