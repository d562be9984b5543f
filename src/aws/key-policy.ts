/** References and their KMS keys → the statements with the least permissions to read, store or rotate them. Pure. */
import { arnOf, type Location, type Reference } from '../keys/reference.ts';
import { storeHost } from './session-policy.ts';
import { allow, oneOrMany, type Condition, type Statement } from './statement.ts';

export type Purpose = 'read' | 'write' | 'rotate';

/**
 * What encrypts a parameter or a secret. `aws-managed`, and a plain parameter (`none`), need no permission: the key
 * policy of `alias/aws/ssm` and `alias/aws/secretsmanager` allows the whole account.
 */
export type Encryption =
  | { readonly kind: 'key'; readonly arn: string }
  | { readonly kind: 'alias'; readonly alias: string }
  | { readonly kind: 'aws-managed' | 'none' | 'unknown' };

/**
 * A key's id, ARN or alias, as `--kms-key-id` and AWS's Describe calls have it.
 *
 * @param place of the parameter or the secret
 * @returns undefined for any other text
 * @source KMS API Reference, Encrypt, `KeyId`
 */
export function encryptionOf(keyId: string, place: Location): Encryption | undefined {
  const { partition, region, account } = place;
  const [, arn = '', name = ''] =
    /^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?((?:alias|key)\/[\w/-]+|(?:mrk-)?[0-9a-f-]{32,36})$/.exec(
      keyId,
    ) ?? [];
  if (name === '') return undefined;
  const own = `arn:${partition}:kms:${region}:${account}:`;
  if (/^alias\/aws\//.test(name)) return { kind: 'aws-managed' };
  if (!name.startsWith('alias/'))
    return { kind: 'key', arn: `${arn || own}key/${name.replace(/^key\//, '')}` };
  // The aliases of a key can only be compared in its own account.
  return arn === '' || arn === own ? { kind: 'alias', alias: name } : { kind: 'unknown' };
}

export interface Stored {
  readonly reference: Reference;
  readonly encryption: Encryption;
  /** The whole ARN of a secret, with its six random characters. Absent: not looked up. */
  readonly arn?: string;
}

type Kind = Reference['kind'];
type Actions = Readonly<Record<Kind, readonly string[]>>;

/** GetParameters reads several parameters in one call. One of them is read by GetParameter. */
const reading: Actions = { parameter: ['ssm:GetParameter'], secret: ['secretsmanager:GetSecretValue'] };

const storing: Actions = {
  // AddTagsToResource is for `--tag`: PutParameter checks it if it is given tags.
  // No GetParameter: who stores keys need not read them.
  parameter: ['ssm:PutParameter', 'ssm:AddTagsToResource'],
  // CreateSecret makes the secret, TagResource is for `--tag`, PutSecretValue is for `--overwrite` and for members.
  // No UpdateSecret (`--overwrite` with `--description` or `--kms-key-id`): it changes the KMS key for all readers.
  secret: ['secretsmanager:CreateSecret', 'secretsmanager:PutSecretValue', 'secretsmanager:TagResource'],
};

const rotating: Actions = {
  parameter: [
    // The latest version and the one from before the rotation, whose public halves the git host knows.
    'ssm:GetParameter',
    // The new key becomes the next version; with --abort the old key does.
    'ssm:PutParameter',
    // The labels of the versions, and the KMS key, the tier and the description that the next version keeps.
    'ssm:GetParameterHistory',
    'ssm:LabelParameterVersion',
    // --finish and --abort.
    'ssm:UnlabelParameterVersion',
  ],
  secret: [
    'secretsmanager:GetSecretValue',
    'secretsmanager:PutSecretValue',
    // AWSCURRENT moves, and so do the labels of the rotation.
    'secretsmanager:UpdateSecretVersionStage',
  ],
};

/** For the parameter NAME.next, where the new key waits until it is served. It is deleted then. */
const staging = ['ssm:GetParameter', 'ssm:PutParameter', 'ssm:DeleteParameter'];

const actionsOf: Readonly<Record<Purpose, Actions>> = { read: reading, write: storing, rotate: rotating };

/**
 * What each purpose does with a KMS key. Parameter Store encrypts a standard parameter by Encrypt, an advanced one by a
 * data key. Secrets Manager encrypts by a data key, and decrypts it to store the next version.
 *
 * @source Systems Manager User Guide, "AWS KMS encryption for AWS Systems Manager Parameter Store"; Secrets Manager User
 *   Guide, "Secret encryption and decryption"
 */
const kmsActions: Readonly<Record<Purpose, Actions>> = {
  read: { parameter: ['kms:Decrypt'], secret: ['kms:Decrypt'] },
  write: {
    parameter: ['kms:Encrypt', 'kms:GenerateDataKey'],
    secret: ['kms:GenerateDataKey', 'kms:Decrypt'],
  },
  rotate: {
    parameter: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'],
    secret: ['kms:Decrypt', 'kms:GenerateDataKey'],
  },
};

const verbs: Readonly<Record<Purpose, string>> = { read: 'Read', write: 'Store', rotate: 'Rotate' };
const nouns: Readonly<Record<Kind, string>> = { parameter: 'Parameters', secret: 'Secrets' };

/** @param home the place of references that are not ARNs */
export function keyStatements(stored: readonly Stored[], purpose: Purpose, home: Location): Statement[] {
  const ofStores = (['parameter', 'secret'] as const).flatMap((kind) => {
    const ofKind = stored.filter(({ reference }) => reference.kind === kind);
    return ofKind.length === 0 ? [] : storeStatements(ofKind, { kind, purpose, home });
  });
  return [...ofStores, ...kmsStatements(stored, purpose, home)];
}

interface Wanted {
  readonly kind: Kind;
  readonly purpose: Purpose;
  readonly home: Location;
}

function storeStatements(stored: readonly Stored[], wanted: Wanted): Statement[] {
  const { kind, purpose, home } = wanted;
  const arns = stored.flatMap((one) => resourcesOf(one, purpose, home));
  const several = purpose === 'read' && new Set(arns).size > 1;
  const more = several && kind === 'parameter' ? ['ssm:GetParameters'] : [];
  const statement = allow(`${verbs[purpose]}${nouns[kind]}`, [...actionsOf[purpose][kind], ...more], arns);
  // Not BatchGetSecretValue: it supports no resources, and without it the secrets are read one by one.
  return [statement, ...besides(stored, wanted)];
}

/** What a command needs beside the values themselves. */
function besides(stored: readonly Stored[], { kind, purpose, home }: Wanted): Statement[] {
  if (kind === 'parameter' && purpose === 'rotate') {
    return [
      allow(
        'StageNextKeys',
        staging,
        stored.map((one) => nextOf(arnIn(one, home))),
      ),
    ];
  }
  if (kind === 'parameter' && purpose === 'write') {
    // `--overwrite` keeps the KMS key and the description. It supports no resources.
    return [allow('FindKmsKeysOfParameters', ['ssm:DescribeParameters'], ['*'])];
  }
  // The other members of a JSON secret are stored again.
  const members = stored.filter(({ reference }) => reference.kind === 'secret' && reference.jsonKey !== '');
  if (purpose !== 'write' || members.length === 0) return [];
  const arns = members.flatMap((one) => resourcesOf(one, purpose, home));
  return [allow('ReadOtherMembersOfSecrets', ['secretsmanager:GetSecretValue'], arns)];
}

/** The parameter with the new key of a rotation. */
function nextOf(arn: string): string {
  return `${arn}.next`;
}

/** The ARN of a secret that is not there yet has no random characters: both forms are named. */
function resourcesOf(stored: Stored, purpose: Purpose, home: Location): string[] {
  const arn = arnIn(stored, home);
  if (purpose !== 'write' || !arn.endsWith('-??????')) return [arn];
  return [arn.slice(0, -'-??????'.length), arn];
}

function arnIn({ arn, reference }: Stored, home: Location): string {
  return arn ?? arnOf(reference, home);
}

/** One statement for each store, Region and KMS key: the condition names the ciphertexts, so the key opens no others. */
function kmsStatements(stored: readonly Stored[], purpose: Purpose, home: Location): Statement[] {
  const groups = new Map<string, Stored[]>();
  for (const one of stored) {
    const { encryption, reference } = one;
    if (encryption.kind === 'aws-managed' || encryption.kind === 'none') continue;
    const { region, account } = reference.location ?? home;
    const name = JSON.stringify([reference.kind, region, account, encryption]);
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups.values()].flatMap((group, number) => {
    const [first] = group;
    if (!first) return [];
    const { kind, location = home } = first.reference;
    const { resource, condition } = keyOf(first.encryption, location);
    const Condition = { ...condition, ...contextOf(group, purpose, home) };
    const sid = `Use${kind === 'parameter' ? 'KmsKeyOfParameters' : 'KmsKeyOfSecrets'}${number || ''}`;
    return [{ ...allow(sid, kmsActions[purpose][kind], [resource]), Condition }];
  });
}

/** An alias cannot be a Resource. A key of another account is not excluded if nothing is known about the key. */
function keyOf(
  encryption: Encryption,
  { partition, region, account }: Location,
): { readonly resource: string; readonly condition: Condition } {
  const everyKeyOf = (owner: string): string => `arn:${partition}:kms:${region}:${owner}:key/*`;
  if (encryption.kind === 'key') return { resource: encryption.arn, condition: {} };
  if (encryption.kind !== 'alias') return { resource: everyKeyOf('*'), condition: {} };
  const condition = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': encryption.alias } };
  return { resource: everyKeyOf(account), condition };
}

/** @source KMS Developer Guide, "kms:ViaService" and "kms:EncryptionContext:context-key" */
function contextOf(group: readonly Stored[], purpose: Purpose, home: Location): Condition {
  const [first] = group;
  if (!first) return {};
  const { reference } = first;
  const via = { 'kms:ViaService': storeHost(reference, reference.location ?? home) };
  const name = reference.kind === 'parameter' ? 'PARAMETER_ARN' : 'SecretARN';
  const own = group.map((one) => arnIn(one, home));
  const isStaging = purpose === 'rotate' && reference.kind === 'parameter';
  const arns = isStaging ? own.flatMap((arn) => [arn, nextOf(arn)]) : own;
  const context = { [`kms:EncryptionContext:${name}`]: oneOrMany(arns) };
  if (arns.some((arn) => arn.endsWith('-??????'))) return { StringEquals: via, StringLike: context };
  return { StringEquals: { ...via, ...context } };
}
