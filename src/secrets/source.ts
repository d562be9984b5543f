/** The common interface of all stores. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Connection } from '../aws/connection.ts';
import type { Credentials } from '../aws/caller.ts';
import type { Failure } from '../errors.ts';
import type { Reference } from '../keys/reference.ts';

export interface Secret {
  readonly reference: Reference;
  /** Secret. As stored. */
  readonly text: string;
  /** The version that was read. A rotated secret has another one. */
  readonly version: string;
  readonly arn: string;
  /** Whether the store encrypts it. */
  readonly encrypted: boolean;
}

export type Outcome = Secret | Failure;

/** One store in one region. */
export interface SecretSource<Kind extends Reference> {
  /**
   * Returns one outcome for each reference, in any order. Errors of a single reference are outcomes and never thrown.
   *
   * @param references have different identities
   */
  read(references: readonly Kind[]): Promise<Outcome[]>;
}

/** Connection and credentials of a store. */
export interface SourceOptions {
  readonly connection: Connection;
  /** Absent: the AWS SDK's default chain. */
  readonly credentials?: Credentials | AwsCredentialIdentityProvider;
  readonly region: string;
  /** If it is aborted, reads reject with its reason. */
  readonly signal: AbortSignal;
}
