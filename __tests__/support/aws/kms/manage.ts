/** Operations on keys and aliases that use no key material. */
import { AwsError } from '../errors.ts';

import type { Caller } from '../iam/caller.ts';
import { evaluateTrust } from '../iam/trust.ts';
import { many, parsePolicy } from '../iam/policy-document.ts';
import { choice, optionalInteger, optionalText, text, validation } from '../ssm/input.ts';
import type { JsonRecord } from '../wire/aws-json.ts';
import { permitted, placeOf, requireAction, type KmsOperation } from './access.ts';
import { SIGNING_ALGORITHMS } from './key-specs.ts';
import { aliasArn, type SigningKey } from './signing-keys.ts';

export const createKey: KmsOperation = (keys, caller, input) => {
  const spec = choice(input, 'KeySpec', Object.keys(SIGNING_ALGORITHMS)) ?? 'SYMMETRIC_DEFAULT';
  const usage = optionalText(input, 'KeyUsage') ?? 'ENCRYPT_DECRYPT';
  const origin = choice(input, 'Origin', ['AWS_KMS', 'EXTERNAL'] as const) ?? 'AWS_KMS';
  const signs = (SIGNING_ALGORITHMS[spec]?.length ?? 0) > 0;
  const encrypts = spec === 'SYMMETRIC_DEFAULT' || spec.startsWith('RSA_');
  if ((usage === 'SIGN_VERIFY' && !signs) || (usage === 'ENCRYPT_DECRYPT' && !encrypts)) {
    throw validation(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  requireAction(caller, 'kms:CreateKey');
  const tags = tagsOf(input);
  // The key has no ARN yet. Source: KMS Developer Guide, "Control access to tags": IAM names `key/*`.
  if (Object.keys(tags).length > 0)
    requireAction(caller, 'kms:TagResource', aliasArn(placeOf(caller), 'key/new'));
  const policy = optionalText(input, 'Policy');
  const parsed = policy === undefined ? undefined : parseKeyPolicy(policy);
  if (parsed) requireNoLockout(caller, parsed);
  const description = optionalText(input, 'Description') ?? '';
  const arn = keys.create({
    ...{ ...placeOf(caller), spec, usage, origin, description, tags },
    ...(parsed && { policy: parsed }),
  });
  return { KeyMetadata: metadataOf(keys.get(arn)) };
};

export const describeKey: KmsOperation = (keys, caller, input) => ({
  KeyMetadata: metadataOf(
    permitted(keys, caller, { action: 'kms:DescribeKey', keyId: text(input, 'KeyId') }),
  ),
});

export const createAlias: KmsOperation = (keys, caller, input) => {
  const alias = aliasName(input);
  const arn = aliasArn(placeOf(caller), alias);
  requireAction(caller, 'kms:CreateAlias', arn);
  const key = permitted(keys, caller, { action: 'kms:CreateAlias', keyId: text(input, 'TargetKeyId') });
  if (keys.aliases().some((one) => one.alias === arn)) {
    throw new AwsError({
      code: 'AlreadyExistsException',
      message: `An alias with the name ${arn} already exists`,
    });
  }
  requireLasting(key);
  keys.setAlias(key, alias, key.arn);
  return {};
};

export const updateAlias: KmsOperation = (keys, caller, input) => {
  const alias = aliasName(input);
  const arn = aliasArn(placeOf(caller), alias);
  requireAction(caller, 'kms:UpdateAlias', arn);
  const present = permitted(keys, caller, { action: 'kms:UpdateAlias', keyId: alias });
  const key = permitted(keys, caller, { action: 'kms:UpdateAlias', keyId: text(input, 'TargetKeyId') });
  if (
    present.usage !== key.usage ||
    (present.spec === 'SYMMETRIC_DEFAULT') !== (key.spec === 'SYMMETRIC_DEFAULT')
  ) {
    throw validation(`Alias ${alias} and the target key have different types or usages`);
  }
  requireLasting(key);
  keys.setAlias(key, alias, key.arn);
  return {};
};

export const deleteAlias: KmsOperation = (keys, caller, input) => {
  const alias = aliasName(input);
  requireAction(caller, 'kms:DeleteAlias', aliasArn(placeOf(caller), alias));
  permitted(keys, caller, { action: 'kms:DeleteAlias', keyId: alias });
  keys.removeAlias(placeOf(caller), alias);
  return {};
};

/** Without pages. */
export const listAliases: KmsOperation = (keys, caller, input) => {
  requireAction(caller, 'kms:ListAliases');
  const place = placeOf(caller);
  const keyId = optionalText(input, 'KeyId');
  const only = keyId === undefined ? undefined : keys.find(keyId, place).arn;
  const own = keys
    .aliases()
    .filter(
      ({ alias, key }) => alias.startsWith(aliasArn(place, '')) && (only === undefined || key === only),
    );
  const Aliases = own.map(({ alias, key, madeAt }) => ({
    ...{ AliasArn: alias, CreationDate: madeAt.getTime() / 1000 },
    AliasName: alias.replace(/^.*:/, ''),
    TargetKeyId: key.replace(/^.*\//, ''),
  }));
  return { Aliases, Truncated: false };
};

export const disableKey: KmsOperation = (keys, caller, input) => {
  permitted(keys, caller, { action: 'kms:DisableKey', keyId: text(input, 'KeyId') }).state = 'Disabled';
  return {};
};

export const enableKey: KmsOperation = (keys, caller, input) => {
  permitted(keys, caller, { action: 'kms:EnableKey', keyId: text(input, 'KeyId') }).state = 'Enabled';
  return {};
};

/** Source: KMS API Reference, ScheduleKeyDeletion; KMS Developer Guide, "Key states of AWS KMS keys". */
export const scheduleKeyDeletion: KmsOperation = (keys, caller, input) => {
  const days = optionalInteger(input, 'PendingWindowInDays') ?? 30;
  if (days < 7 || days > 30) throw validation('PendingWindowInDays must be between 7 and 30');
  const key = permitted(keys, caller, {
    action: 'kms:ScheduleKeyDeletion',
    keyId: keyIdOf(input),
    context: { 'kms:ScheduleKeyDeletionPendingWindowInDays': String(days) },
  });
  requireLasting(key);
  key.state = 'PendingDeletion';
  key.pendingDays = days;
  return { KeyId: key.arn, KeyState: key.state, PendingWindowInDays: days };
};

export const listKeys: KmsOperation = (keys, caller, input) => {
  requireAction(caller, 'kms:ListKeys');
  const all = keys.all(placeOf(caller)).map(({ arn, id }) => ({ KeyArn: arn, KeyId: id }));
  const start = Number(optionalText(input, 'Marker') ?? '0');
  const end = start + (optionalInteger(input, 'Limit') ?? 100);
  const isMore = end < all.length;
  return { Keys: all.slice(start, end), Truncated: isMore, ...(isMore && { NextMarker: String(end) }) };
};

export const listResourceTags: KmsOperation = (keys, caller, input) => {
  const { tags } = permitted(keys, caller, { action: 'kms:ListResourceTags', keyId: keyIdOf(input) });
  const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
  return { Tags, Truncated: false };
};

export const getKeyPolicy: KmsOperation = (keys, caller, input) => {
  requirePolicyName(input);
  const key = permitted(keys, caller, { action: 'kms:GetKeyPolicy', keyId: keyIdOf(input) });
  return { Policy: JSON.stringify(key.policy), PolicyName: 'default' };
};

export const putKeyPolicy: KmsOperation = (keys, caller, input) => {
  requirePolicyName(input);
  const key = permitted(keys, caller, { action: 'kms:PutKeyPolicy', keyId: text(input, 'KeyId') });
  key.policy = parseKeyPolicy(text(input, 'Policy'));
  return {};
};

/** Source: KMS API Reference, GetKeyPolicy and PutKeyPolicy, `PolicyName`: "The only valid value is default." */
function requirePolicyName(input: JsonRecord): void {
  const name = optionalText(input, 'PolicyName') ?? 'default';
  if (name !== 'default') throw new AwsError({ code: 'NotFoundException', message: 'No such policy exists' });
}

/** These calls take no alias. */
function keyIdOf(input: JsonRecord): string {
  const keyId = text(input, 'KeyId');
  if (!/(^|:)alias\//.test(keyId)) return keyId;
  throw new AwsError({ code: 'NotFoundException', message: `Invalid keyId '${keyId}'` });
}

/** Source: KMS Developer Guide, "Key states of AWS KMS keys". */
function requireLasting({ arn, state }: SigningKey): void {
  if (state !== 'PendingDeletion') return;
  throw new AwsError({ code: 'KMSInvalidStateException', message: `${arn} is pending deletion.` });
}

/** Source: KMS API Reference, CreateKey, `BypassPolicyLockoutSafetyCheck`. */
function requireNoLockout({ principal }: Caller, policy: ReturnType<typeof parsePolicy>): void {
  const { account, arn, roleArn } = principal;
  const { effect } = evaluateTrust(policy, {
    caller: { type: 'AWS', account, arns: roleArn === undefined ? [arn] : [arn, roleArn] },
    ...{ action: 'kms:PutKeyPolicy', context: { 'kms:CallerAccount': account } },
  });
  if (effect === 'Allow') return;
  const message = 'The new key policy will not allow you to update the key policy in the future.';
  throw new AwsError({ code: 'MalformedPolicyDocumentException', message });
}

/** The members of `KeyMetadata` that programs read. */
function metadataOf(key: SigningKey): JsonRecord {
  return {
    ...{ AWSAccountId: key.account, Arn: key.arn, KeyId: key.id, Description: key.description },
    ...{
      CreationDate: key.createdAt.getTime() / 1000,
      Enabled: key.state === 'Enabled',
      KeyState: key.state,
    },
    ...{ KeyManager: 'CUSTOMER', KeySpec: key.spec, CustomerMasterKeySpec: key.spec, KeyUsage: key.usage },
    ...{ Origin: key.origin, MultiRegion: false },
    ...(key.usage === 'SIGN_VERIFY' && { SigningAlgorithms: SIGNING_ALGORITHMS[key.spec] }),
  };
}

function aliasName(input: JsonRecord): string {
  const alias = text(input, 'AliasName');
  if (!/^alias\/[a-zA-Z0-9/_-]{1,250}$/.test(alias)) {
    throw new AwsError({ code: 'InvalidAliasNameException', message: 'Invalid alias name' });
  }
  if (!alias.startsWith('alias/aws/')) return alias;
  throw new AwsError({ code: 'NotAuthorizedException', message: 'alias/aws/ is reserved' });
}

function tagsOf(input: JsonRecord): Readonly<Record<string, string>> {
  const tags = (input['Tags'] ?? []) as readonly { readonly TagKey: string; readonly TagValue: string }[];
  return Object.fromEntries(tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
}

/** A key policy names its key as `*`, so Resource stays unread. Its Sids may have spaces, as in the default key policy. */
function parseKeyPolicy(json: string): ReturnType<typeof parsePolicy> {
  try {
    const document = JSON.parse(json) as ReturnType<typeof parsePolicy>;
    const bare = many(document.Statement).map((statement) => ({
      ...statement,
      Resource: undefined,
      Sid: undefined,
    }));
    return parsePolicy(JSON.stringify({ ...document, Statement: bare }), 'trust');
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    throw new AwsError({ code: 'MalformedPolicyDocumentException', message });
  }
}
