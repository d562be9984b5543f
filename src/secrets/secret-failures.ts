/** Converts errors of Secrets Manager and KMS to our codes and hints. */
import { awsFailure, readAwsError } from '../aws/failures.ts';
import { Failure, type Code } from '../errors.ts';
import type { SecretReference } from '../keys/reference.ts';
import { accessFailure, isDenied, kmsKeyUnusable } from './access-failures.ts';

/** Whether one secret of a batch may be the reason. Then each secret is read separately to find it. */
export function mayConcernOne(error: unknown): boolean {
  return isDenied(error) || ofOneSecret.has(readAwsError(error).name);
}

const ofOneSecret: ReadonlySet<string> = new Set([
  'ResourceNotFoundException',
  'InvalidRequestException',
  'InvalidParameterException',
  'ValidationException',
  'DecryptionFailure',
]);

/** @param error from GetSecretValue, or a batch's entry with its code as the name */
export function secretFailure(error: unknown, reference: SecretReference, region: string): Failure {
  const { name, message } = readAwsError(error);
  const { text } = reference;
  if (name === 'ResourceNotFoundException') return notFound(error, reference, region);
  if (isDenied(error)) return accessFailure(error, reference, region);
  if (name === 'DecryptionFailure') return kmsKeyUnusable(error, reference, region);
  if (name === 'InvalidRequestException') return badState(error, reference, region);
  if (name === 'InvalidParameterException' || name === 'ValidationException') {
    return new Failure('INPUT_INVALID', `Secrets Manager does not accept ${text}: ${message}`, {
      hint: 'write the name or the whole ARN, as shown by aws secretsmanager list-secrets',
      cause: error,
    });
  }
  return awsFailure(error, { service: 'secretsmanager', region, resource: text });
}

/** AWS says whether the secret or its version is missing. Other servers with its protocol may not. */
export function isVague(error: unknown, { versionStage, versionId }: SecretReference): boolean {
  const { name, message } = readAwsError(error);
  return name === 'ResourceNotFoundException' && !inVersion.test(message) && versionStage + versionId !== '';
}

const inVersion = /secret value/;

/** A missing secret, stage and version id have the same code. The message tells them apart. */
function notFound(error: unknown, reference: SecretReference, region: string): Failure {
  const { text, name, versionStage, versionId } = reference;
  const fail = failWith(error);
  if (!inVersion.test(readAwsError(error).message)) {
    return fail(
      'KEY_NOT_FOUND',
      `there is no secret ${text} in ${region}`,
      `check the name, the region and the account: ${cli('describe-secret', name, region)}; a secret of another account needs its whole ARN`,
    );
  }
  if (versionStage === '' && versionId === '') {
    const hint = `store the private key there: ${cli('put-secret-value', name, region)} --secret-string file://FILE`;
    return fail('KEY_EMPTY', `the secret ${text} in ${region} has no value yet`, hint);
  }
  return versionMissing(error, reference, region);
}

export function versionMissing(error: unknown, { text, name }: SecretReference, region: string): Failure {
  return failWith(error)(
    'KEY_VERSION_NOT_FOUND',
    `the secret ${text} has no such version stage or version id in ${region}`,
    `list them: ${cli('list-secret-version-ids', name, region)}`,
  );
}

/** @source Secrets Manager API Reference, GetSecretValue, "InvalidRequestException" */
function badState(error: unknown, reference: SecretReference, region: string): Failure {
  const { message } = readAwsError(error);
  const { text, name } = reference;
  const fail = failWith(error);
  if (/deletion|deleted/.test(message)) {
    return fail(
      'KEY_NOT_FOUND',
      `the secret ${text} in ${region} is being deleted`,
      `restore it: ${cli('restore-secret', name, region)}`,
    );
  }
  if (/VersionStage|VersionId/.test(message)) return versionMissing(error, reference, region);
  return fail(
    'PROVIDER_FAILED',
    `secretsmanager in ${region} failed for ${text}: ${message}`,
    `check its state: ${cli('describe-secret', name, region)}`,
  );
}

function cli(command: string, name: string, region: string): string {
  return `aws secretsmanager ${command} --region ${region} --secret-id ${name}`;
}

function failWith(cause: unknown): (code: Code, what: string, hint: string) => Failure {
  return (code, what, hint) => new Failure(code, what, { hint, cause });
}
