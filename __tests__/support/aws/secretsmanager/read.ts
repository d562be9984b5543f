/** GetSecretValue and BatchGetSecretValue: IAM, existence, the version, KMS, in this order. */
import { parseArn } from '../arn.ts';
import { AwsError, constraintMessage } from '../errors.ts';
import { refusalOf, type Caller } from '../iam/caller.ts';
import { KmsError, type Kms } from '../kms.ts';
import { optionalText, text, texts } from '../ssm/input.ts';
import type { JsonRecord } from '../wire/aws-json.ts';
import { bindTo, secretArn, type Secrets, type SecretVersion, type StoredSecret } from './secrets.ts';

export interface SecretsStore {
  readonly secrets: Secrets;
  readonly kms: Kms;
}

export type SecretsOperation = (store: SecretsStore, caller: Caller, input: JsonRecord) => JsonRecord;

interface Wanted {
  readonly id: string;
  readonly stage?: string | undefined;
  readonly versionId?: string | undefined;
}

const MAX_IDS = 20;
export const CAN_NOT_FIND = "Secrets Manager can't find the specified secret";

export const getSecretValue: SecretsOperation = (store, caller, input) =>
  read(store, caller, {
    id: text(input, 'SecretId'),
    stage: optionalText(input, 'VersionStage'),
    versionId: optionalText(input, 'VersionId'),
  });

/** Errors of single secrets are part of the answer; the call itself is allowed or denied as a whole. */
export const batchGetSecretValue: SecretsOperation = (store, caller, input) => {
  const ids = texts(input, 'SecretIdList');
  const refusal = refusalOf(caller, { action: 'secretsmanager:BatchGetSecretValue', resource: '*' });
  if (refusal !== undefined) {
    // The message names no resource, because a policy cannot either.
    const who = refusal.message.replace(/ on resource: .*$/, '');
    throw new AwsError({ code: 'AccessDeniedException', message: `${who} ${refusal.reason}` });
  }
  if (ids.length === 0 || ids.length > MAX_IDS) {
    const constraint =
      ids.length === 0
        ? 'Member must have length greater than or equal to 1'
        : `Member must have length less than or equal to ${String(MAX_IDS)}`;
    throw new AwsError({
      code: 'ValidationException',
      message: constraintMessage('secretIdList', `[${ids.join(', ')}]`, constraint),
    });
  }
  const values: JsonRecord[] = [];
  const errors: JsonRecord[] = [];
  for (const id of ids) {
    try {
      values.push(read(store, caller, { id }));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message });
    }
  }
  return { SecretValues: values.reverse(), Errors: errors };
};

function read(store: SecretsStore, caller: Caller, wanted: Wanted): JsonRecord {
  checkId(wanted.id);
  const secret = locate(store, caller, wanted.id);
  requirePermission(caller, wanted, secret);
  if (secret === undefined) {
    throw new AwsError({ code: 'ResourceNotFoundException', message: `${CAN_NOT_FIND}.` });
  }
  if (secret.deleted) {
    throw invalidRequest(
      "You can't perform this operation on the secret because it was marked for deletion.",
    );
  }
  const version = select(secret, wanted);
  requireKey(store.kms, caller, { secret, version });
  const value = store.secrets.reveal(version, secret.arn);
  return {
    ARN: secret.arn,
    CreatedDate: version.created.getTime() / 1000,
    Name: secret.name,
    VersionId: version.versionId,
    VersionStages: [...version.stages],
    ...(typeof value === 'string'
      ? { SecretString: value }
      : { SecretBinary: Buffer.from(value).toString('base64') }),
  };
}

export function checkId(id: string): void {
  const name = id.startsWith('arn:') ? (parseArn(id)?.resource.replace(/^secret:/, '') ?? '') : id;
  if (/^[\w/+=.@!-]{1,519}$/.test(name)) return;
  throw new AwsError({
    code: 'ValidationException',
    message:
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
  });
}

/** The secret of the caller's own account for an operation other than reading. Throws as those do. */
export function ownSecret(
  { secrets }: SecretsStore,
  caller: Caller,
  { id, action }: { readonly id: string; readonly action: string },
): StoredSecret {
  checkId(id);
  const { account, arn } = caller.principal;
  const secret = locate({ secrets }, caller, id);
  const resource =
    secret?.arn ?? (id.startsWith('arn:') ? id : secretArn({ account, region: caller.region }, id));
  const refusal = refusalOf(caller, { action, resource });
  if (refusal !== undefined || parseArn(resource)?.account !== account) {
    const reason = refusal?.reason ?? `because no resource-based policy allows the ${action} action`;
    const message = `User: ${arn} is not authorized to perform: ${action} on resource: ${secret?.arn ?? id} ${reason}`;
    throw new AwsError({ code: 'AccessDeniedException', message });
  }
  if (secret === undefined) {
    throw new AwsError({ code: 'ResourceNotFoundException', message: `${CAN_NOT_FIND}.` });
  }
  if (!secret.deleted) return secret;
  throw invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
}

/** An endpoint only knows its own Region. */
export function locate(
  { secrets }: Pick<SecretsStore, 'secrets'>,
  caller: Caller,
  id: string,
): StoredSecret | undefined {
  const place = { account: caller.principal.account, region: caller.region };
  if (!id.startsWith('arn:')) return secrets.find(place, id);
  return parseArn(id)?.region === caller.region ? secrets.findByArn(id) : undefined;
}

/** A policy is matched with the full ARN; a missing secret has none, and is named as in the request. */
function requirePermission(caller: Caller, wanted: Wanted, secret: StoredSecret | undefined): void {
  const action = 'secretsmanager:GetSecretValue';
  const { account } = caller.principal;
  const asked = wanted.id.startsWith('arn:')
    ? wanted.id
    : secretArn({ account, region: caller.region }, wanted.id);
  const resource = secret?.arn ?? asked;
  const context = {
    'secretsmanager:SecretId': wanted.id,
    ...(wanted.stage !== undefined && { 'secretsmanager:VersionStage': wanted.stage }),
    ...(wanted.versionId !== undefined && { 'secretsmanager:VersionId': wanted.versionId }),
  };
  const refusal = refusalOf(caller, { action, resource, context });
  const owner = parseArn(resource)?.account;
  const shared = owner === account || secret?.sharedWith.includes(account);
  if (refusal === undefined && shared) return;
  const named = secret?.arn ?? wanted.id;
  const who = `User: ${caller.principal.arn} is not authorized to perform: ${action} on resource: ${named}`;
  const reason = refusal?.reason ?? `because no resource-based policy allows the ${action} action`;
  throw new AwsError({ code: 'AccessDeniedException', message: `${who} ${reason}` });
}

function select({ versions }: StoredSecret, { stage, versionId }: Wanted): SecretVersion {
  const missing = (what: string): AwsError =>
    new AwsError({ code: 'ResourceNotFoundException', message: `${CAN_NOT_FIND} value for ${what}` });
  if (versionId === undefined) {
    const label = stage ?? 'AWSCURRENT';
    const found = versions.find(({ stages }) => stages.has(label));
    if (found) return found;
    throw missing(`staging label: ${label}`);
  }
  const found = versions.find((version) => version.versionId === versionId);
  if (!found) throw missing(`VersionId: ${versionId}`);
  if (stage === undefined || found.stages.has(stage)) return found;
  throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
}

/** KMS's refusal as Secrets Manager passes it on, without KMS's message. */
function requireKey(
  kms: Kms,
  caller: Caller,
  { secret, version }: { readonly secret: StoredSecret; readonly version: SecretVersion },
): void {
  const { keyArn, versionId } = version;
  try {
    kms.authorize(caller, 'kms:Decrypt', {
      keyArn,
      via: 'secretsmanager',
      ...bindTo(secret.arn, versionId),
    });
  } catch (error) {
    if (!(error instanceof KmsError)) throw error;
    if (error.code === 'AccessDeniedException') {
      throw new AwsError({ code: error.code, message: 'Access to KMS is not allowed' });
    }
    throw new AwsError({
      code: 'DecryptionFailure',
      message: "Secrets Manager can't decrypt the protected secret text using the provided KMS key.",
    });
  }
}

export function invalidRequest(message: string): AwsError {
  return new AwsError({ code: 'InvalidRequestException', message });
}
