/** References to keys in KMS → the statements with the least permissions to sign with them, or to make them. Pure. */
import { Failure } from '../errors.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import type { Location } from '../keys/reference.ts';
import type { Purpose } from './key-policy.ts';
import { aliasOf, kmsStatement, signingActions } from './kms-statement.ts';
import { allow, oneOrMany, type Statement } from './statement.ts';

/** @throws INPUT_INVALID for a purpose that the kind of the reference does not have */
export function checkKmsPurpose(references: readonly KmsReference[], purpose: Purpose): void {
  const [first] = references;
  if (!first || purpose === 'read') return;
  if (purpose === 'rotate') {
    throw invalid(
      `--for rotate is for keys that are stored, and ${first.text} is in KMS`,
      'leave --for out: the policy then allows to sign; --for write allows to make a key in KMS',
    );
  }
  const other = references.find(({ name, location }) => location || !name.startsWith('alias/'));
  if (!other) return;
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
  return purpose === 'read' ? signStatements(references, home) : makeStatements(references, home);
}

/** All keys in one statement, and one for the aliases of each account and Region. */
function signStatements(references: readonly KmsReference[], home: Location): Statement[] {
  const groups = new Map<string, { resources: string[]; aliases: string[] }>();
  for (const reference of references) {
    const { Resource } = kmsStatement(reference, home);
    const alias = aliasOf(reference);
    const group = alias === undefined ? 'keys' : Resource;
    const { resources, aliases } = groups.get(group) ?? { resources: [], aliases: [] };
    const named = alias === undefined ? [] : [alias];
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

function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint });
}
