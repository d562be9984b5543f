/** The permissions to sign with a key in KMS. Pure. */
import type { KmsReference } from '../keys/key-reference.ts';
import type { Location } from '../keys/reference.ts';
import { previousAlias } from '../keys/rotation-aliases.ts';
import { oneOrMany, type Condition } from './statement.ts';

/** The permissions that a login needs. */
export const signingActions = ['kms:GetPublicKey', 'kms:Sign'] as const;

/** `alias/NAME`, as in the request; undefined for a key. */
export function aliasOf({ name }: KmsReference): string | undefined {
  return /(?:^|:)(alias\/.*)$/.exec(name)?.[1];
}

export interface KmsStatement {
  readonly Effect: 'Allow';
  readonly Action: string | readonly string[];
  readonly Resource: string;
  readonly Condition?: Condition;
}

/** The names by which an alias signs: its own, and during a rotation that of the old key. */
export function requestAliases(alias: string): readonly string[] {
  return [alias, previousAlias(alias)];
}

/**
 * An alias cannot be a Resource: the statement allows every key of the account and Region, if it is called by this
 * alias.
 *
 * @param home the place of a reference that is not an ARN
 * @source KMS Developer Guide, "Use aliases to control access to KMS keys", "kms:RequestAlias"
 */
export function kmsStatement(
  reference: KmsReference,
  home: Location,
  actions: readonly string[] = signingActions,
): KmsStatement {
  const { partition, region, account } = reference.location ?? home;
  const alias = aliasOf(reference);
  const key = alias === undefined ? reference.name.replace(/^arn:.*:key\//, '') : '*';
  return {
    Effect: 'Allow',
    Action: oneOrMany(actions),
    Resource: `arn:${partition}:kms:${region}:${account}:key/${key}`,
    ...(alias !== undefined && {
      Condition: { StringEquals: { 'kms:RequestAlias': requestAliases(alias) } },
    }),
  };
}
