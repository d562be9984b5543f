/** What is stored as a new version of a parameter or a secret, and what a store needs for it. */
import type { Reference } from '../keys/reference.ts';
import type { Tier } from '../keys/storage-name.ts';
import type { SourceOptions } from './source.ts';

export interface NewVersion<Kind extends Reference = Reference> {
  /** Without a version. A secret's JSON key names the member that gets the value. */
  readonly reference: Kind;
  /** Secret. */
  readonly text: string;
  /** Whether something that exists gets a new version. */
  readonly overwrite: boolean;
  /** Of a parameter. */
  readonly tier: Tier;
  readonly tags: readonly Tag[];
  readonly description?: string | undefined;
  /** A KMS key's id, alias or ARN. Absent: the key of the present version, or the account's default key. */
  readonly kmsKeyId?: string | undefined;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** As the requests of both stores have them. */
export function tagList(tags: readonly Tag[]): { Key: string; Value: string }[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }));
}

export interface StoredVersion {
  readonly arn: string;
  /** A number of a parameter; an id of a secret. */
  readonly version: string;
}

export interface WriteOptions extends SourceOptions {
  /** Asked once, before a parameter is stored. */
  readonly account: () => Promise<string>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly warn: (message: string) => void;
}
