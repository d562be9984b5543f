/** CreateSecret, PutSecretValue, UpdateSecret, TagResource: IAM, existence, the version, KMS, in this order. */
import { AwsError } from '../errors.ts';
import { refusalOf, type Caller } from '../iam/caller.ts';
import { KmsError } from '../kms.ts';
import { optionalText, tagsOf, text, texts } from '../ssm/input.ts';
import type { JsonRecord } from '../wire/aws-json.ts';
import {
  CAN_NOT_FIND,
  checkId,
  invalidRequest,
  locate,
  type SecretsOperation,
  type SecretsStore,
} from './read.ts';
import { bindTo, newSecretArn, secretArn, type StoredSecret } from './secrets.ts';

/** Bytes. Source: "AWS Secrets Manager quotas". */
const MAX_BYTES = 65_536;

export const createSecret: SecretsOperation = (store, caller, input) => {
  const name = text(input, 'Name');
  checkId(name);
  const place = placeOf(caller);
  requirePermission(caller, 'secretsmanager:CreateSecret', {
    resource: secretArn(place, `${name}-??????`),
    named: name,
  });
  if (input['Tags'] !== undefined) {
    requirePermission(caller, 'secretsmanager:TagResource', {
      resource: secretArn(place, `${name}-??????`),
      named: name,
    });
  }
  const value = valueOf(input);
  const versionId = text(input, 'ClientRequestToken');
  const existing = store.secrets.find(place, name);
  if (existing?.deleted) {
    throw invalidRequest(
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  }
  if (existing !== undefined) {
    // Source: CreateSecret, `ClientRequestToken`: the same version and value again is ignored.
    if (isSame(store, existing, { versionId, value })) return answer(existing, versionId);
    throw new AwsError({
      code: 'ResourceExistsException',
      message: `The operation failed because the secret ${name} already exists.`,
    });
  }
  return putVersion(store, caller, { name, input, versionId, value });
};

export const putSecretValue: SecretsOperation = (store, caller, input) => ({
  ...change(store, caller, input, 'PutSecretValue'),
  VersionStages: stagesOf(input),
});

export const updateSecret: SecretsOperation = (store, caller, input) =>
  change(store, caller, input, 'UpdateSecret');

export const tagResource: SecretsOperation = (store, caller, input) => {
  const secret = allowed(store, caller, text(input, 'SecretId'), 'TagResource');
  store.secrets.put({ ...placeOf(caller), name: secret.name, tags: tagsOf(input) });
  return {};
};

function change(
  ...[store, caller, input, action]: [SecretsStore, Caller, JsonRecord, 'PutSecretValue' | 'UpdateSecret']
): JsonRecord {
  const secret = allowed(store, caller, text(input, 'SecretId'), action);
  const [versionId, value] = [text(input, 'ClientRequestToken'), valueOf(input)];
  if (isSame(store, secret, { versionId, value })) return answer(secret, versionId);
  return putVersion(store, caller, { name: secret.name, input, versionId, value });
}

function allowed(...[store, caller, id, action]: [SecretsStore, Caller, string, string]): StoredSecret {
  checkId(id);
  const secret = locate(store, caller, id);
  const asked = id.startsWith('arn:') ? id : secretArn(placeOf(caller), id);
  requirePermission(caller, `secretsmanager:${action}`, {
    resource: secret?.arn ?? asked,
    named: secret?.arn ?? id,
  });
  if (secret === undefined)
    throw new AwsError({ code: 'ResourceNotFoundException', message: `${CAN_NOT_FIND}.` });
  if (secret.deleted) {
    throw invalidRequest(
      "You can't perform this operation on the secret because it was marked for deletion.",
    );
  }
  return secret;
}

interface Version {
  readonly versionId: string;
  readonly value: string | Buffer;
}

function putVersion(
  store: SecretsStore,
  caller: Caller,
  { name, input, versionId, value }: Version & { readonly name: string; readonly input: JsonRecord },
): JsonRecord {
  const place = placeOf(caller);
  const present = store.secrets.find(place, name);
  const keyId = optionalText(input, 'KmsKeyId') ?? present?.keyId;
  const description = optionalText(input, 'Description');
  const keyArn = store.kms.resolve(keyId ?? 'alias/aws/secretsmanager', place);
  // The encryption context has the random characters from the first version on.
  const arn = present?.arn ?? newSecretArn(place, name);
  for (const action of ['kms:GenerateDataKey', 'kms:Decrypt'])
    requireKey(store, caller, { action, keyArn, ...bindTo(arn, versionId) });
  store.secrets.put({
    ...{ ...place, name, arn, value, versionId, stages: stagesOf(input), tags: tagsOf(input) },
    ...(keyId !== undefined && { keyId }),
    ...(description !== undefined && { description }),
  });
  return answer(store.secrets.find(place, name) as StoredSecret, versionId);
}

/** KMS's refusal as Secrets Manager passes it on, without KMS's message. */
function requireKey(
  { kms }: SecretsStore,
  caller: Caller,
  use: { action: string; keyArn: string; encryptionContext: Readonly<Record<string, string>> },
): void {
  try {
    kms.authorize(caller, use.action, { ...use, via: 'secretsmanager' });
  } catch (error) {
    if (!(error instanceof KmsError)) throw error;
    if (error.code === 'AccessDeniedException') {
      throw new AwsError({ code: error.code, message: 'Access to KMS is not allowed' });
    }
    throw new AwsError({
      code: 'EncryptionFailure',
      message: `Secrets Manager can't encrypt the protected secret text using the provided KMS key: ${error.message}`,
    });
  }
}

function isSame(
  { secrets }: SecretsStore,
  { versions, arn }: StoredSecret,
  { versionId, value }: Version,
): boolean {
  const version = versions.find((one) => one.versionId === versionId);
  return version !== undefined && String(secrets.reveal(version, arn)) === String(value);
}

function stagesOf(input: JsonRecord): readonly string[] {
  return input['VersionStages'] === undefined ? ['AWSCURRENT'] : texts(input, 'VersionStages');
}

function valueOf(input: JsonRecord): string | Buffer {
  const binary = optionalText(input, 'SecretBinary');
  const value = binary === undefined ? text(input, 'SecretString') : Buffer.from(binary, 'base64');
  if (Buffer.byteLength(value) <= MAX_BYTES) return value;
  throw new AwsError({
    code: 'ValidationException',
    message: 'The secret value is longer than 65536 bytes.',
  });
}

function answer({ arn, name }: StoredSecret, versionId: string): JsonRecord {
  return { ARN: arn, Name: name, VersionId: versionId };
}

function placeOf({ principal, region }: Caller): { account: string; region: string } {
  return { account: principal.account, region };
}

function requirePermission(
  caller: Caller,
  action: string,
  { resource, named }: { readonly resource: string; readonly named: string },
): void {
  const refusal = refusalOf(caller, { action, resource });
  if (refusal === undefined) return;
  const who = `User: ${caller.principal.arn} is not authorized to perform: ${action} on resource: ${named}`;
  throw new AwsError({ code: 'AccessDeniedException', message: `${who} ${refusal.reason}` });
}
