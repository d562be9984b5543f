/** References to keys in KMS → the statements with the least permissions to sign with them, to make them, or to rotate them. Pure. */
import { Failure } from '../errors.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import type { Location } from '../keys/reference.ts';
import { nextAlias, pendingDays, previousAlias } from '../keys/rotation-aliases.ts';
import type { Purpose } from './key-policy.ts';
import { aliasOf, kmsStatement, requestAliases, signingActions } from './kms-statement.ts';
import { allow, oneOrMany, type Statement } from './statement.ts';

/** @throws INPUT_INVALID for a purpose that the kind of the reference does not have */
export function checkKmsPurpose(references: readonly KmsReference[], purpose: Purpose): void {
  const [first] = references;
  if (!first || purpose === 'read') return;
  const other = references.find(({ name, location }) => location || !name.startsWith('alias/'));
  if (!other) return;
  if (purpose === 'rotate') {
    throw invalid(
      `${other.text} is not the alias of a KMS key, to which rotate gives a new key`,
      'write kms:alias/NAME',
    );
  }
  throw invalid(
    `${other.text} is not the name of a new KMS key`,
    'keygen and put make kms:alias/NAME, in the account and Region of the credentials',
  );
}

/** @param home the place of references that are not ARNs */
export function kmsKeyStatements(
  references: readonly KmsReference[],
  purpose: Purpose,
  home: Location,
): Statement[] {
  if (references.length === 0) return [];
  const statements = { read: signStatements, write: makeStatements, rotate: rotateStatements }[purpose];
  return statements(references, home);
}

/** All keys in one statement, and one for the aliases of each account and Region. */
function signStatements(references: readonly KmsReference[], home: Location): Statement[] {
  const groups = new Map<string, { resources: string[]; aliases: string[] }>();
  for (const reference of references) {
    const { Resource } = kmsStatement(reference, home);
    const alias = aliasOf(reference);
    const group = alias === undefined ? 'keys' : Resource;
    const { resources, aliases } = groups.get(group) ?? { resources: [], aliases: [] };
    const named = alias === undefined ? [] : requestAliases(alias);
    groups.set(group, { resources: [...resources, Resource], aliases: [...aliases, ...named] });
  }
  return [...groups.values()].map(({ resources, aliases }, number) => ({
    ...allow(`SignWithKmsKeys${number || ''}`, signingActions, resources),
    ...(aliases.length > 0 && { Condition: { StringEquals: { 'kms:RequestAlias': oneOrMany(aliases) } } }),
  }));
}

/** Actions on a key that is not there yet, so its ARN is not known. Each of them changes nothing at a key that signs. */
const makingActions = [
  // Whether the alias is free; and the public half of the new key.
  'kms:GetPublicKey',
  // `--tag`
  'kms:TagResource',
  // `put`
  'kms:GetParametersForImport',
  'kms:ImportKeyMaterial',
  // AWS asks for it at the alias and at its key.
  'kms:CreateAlias',
];

/**
 * Without ScheduleKeyDeletion, which could delete all keys: a key that gets no alias remains, and a warning names it.
 *
 * @source KMS Developer Guide, "AWS KMS permissions": CreateKey has no resource
 */
function makeStatements(references: readonly KmsReference[], home: Location): Statement[] {
  const { partition, region, account } = home;
  const own = `arn:${partition}:kms:${region}:${account}:`;
  return [
    allow('MakeKmsKeys', ['kms:CreateKey'], ['*']),
    allow('FurnishKmsKeys', makingActions, [`${own}key/*`]),
    allow(
      'NameKmsKeys',
      ['kms:CreateAlias'],
      references.map(({ name }) => own + name),
    ),
  ];
}

/** Actions on the new key, which is not there yet. Each of them changes nothing at a key that signs, but for its aliases. */
const furnishing = [
  // A key that a killed run has made is found by its tag and by the time of its making.
  'kms:DescribeKey',
  'kms:ListResourceTags',
  'kms:TagResource',
  // AWS asks for them at the alias and at its key.
  'kms:CreateAlias',
  'kms:UpdateAlias',
  'kms:DeleteAlias',
];

/**
 * Only keys with an alias of the rotation are deleted, and only after the longest wait. The new key is not there yet, so an
 * alias may be given to any key: docs/kms.md says so.
 *
 * @source KMS Developer Guide, "kms:ResourceAliases" and "kms:ScheduleKeyDeletionPendingWindowInDays"
 */
function rotateStatements(references: readonly KmsReference[], home: Location): Statement[] {
  const { partition, region, account } = home;
  const own = `arn:${partition}:kms:${region}:${account}:`;
  const keys = [`${own}key/*`];
  const served = references.map(({ name }) => name);
  const [next, previous] = [served.map(nextAlias), served.map(previousAlias)];
  const all = [...served, ...next, ...previous];
  const ofKeys = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': all } };
  const inFull = { NumericEquals: { 'kms:ScheduleKeyDeletionPendingWindowInDays': String(pendingDays) } };
  const arns = (aliases: readonly string[]): string[] => aliases.map((alias) => own + alias);
  return [
    {
      ...allow('ProveKmsKeys', signingActions, keys),
      Condition: { StringEquals: { 'kms:RequestAlias': all } },
    },
    { ...allow('CopyKmsKeyPolicies', ['kms:GetKeyPolicy'], keys), Condition: ofKeys },
    { ...allow('DeleteKmsKeys', ['kms:ScheduleKeyDeletion'], keys), Condition: { ...ofKeys, ...inFull } },
    allow('MakeKmsKeys', ['kms:CreateKey', 'kms:ListAliases', 'kms:ListKeys'], ['*']),
    allow('FurnishKmsKeys', furnishing, keys),
    allow('MoveKmsAliases', ['kms:UpdateAlias'], arns([...served, ...next])),
    allow('NameKmsKeys', ['kms:CreateAlias', 'kms:DeleteAlias'], arns([...next, ...previous])),
  ];
}

function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint });
}
