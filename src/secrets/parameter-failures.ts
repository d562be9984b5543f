/** Converts errors of Parameter Store and KMS to our codes and hints. */
import { awsFailure, readAwsError } from '../aws/failures.ts';
import { Failure } from '../errors.ts';
import type { ParameterReference } from '../keys/reference.ts';
import { accessFailure, isDenied, kmsKeyUnusable } from './access-failures.ts';

export function isMissing(error: unknown): boolean {
  return readAwsError(error).name === 'ParameterNotFound';
}

export function missing(reference: ParameterReference, region: string, cause?: unknown): Failure {
  return new Failure('KEY_NOT_FOUND', `there is no parameter ${reference.text} in ${region}`, {
    hint: `check the name, the region and the account: aws ssm get-parameter --region ${region} --name ${reference.name}`,
    cause,
  });
}

export function versionMissing(reference: ParameterReference, region: string, cause?: unknown): Failure {
  const { text, name } = reference;
  return new Failure(
    'KEY_VERSION_NOT_FOUND',
    `the parameter ${text} has no such version or label in ${region}`,
    {
      hint: `list them: aws ssm get-parameter-history --region ${region} --name ${name} --query "Parameters[].[Version,Labels]"`,
      cause,
    },
  );
}

export function parameterFailure(error: unknown, reference: ParameterReference, region: string): Failure {
  const { name, message } = readAwsError(error);
  const { text } = reference;
  if (isMissing(error)) return missing(reference, region, error);
  if (/^ParameterVersion(Label)?NotFound$/.test(name)) return versionMissing(reference, region, error);
  if (name === 'InvalidKeyId') return kmsKeyUnusable(error, reference, region);
  if (isDenied(error)) return accessFailure(error, reference, region);
  if (name === 'ValidationException') {
    return new Failure('INPUT_INVALID', `Parameter Store does not accept the name ${text}: ${message}`, {
      hint: 'write the name as shown by aws ssm describe-parameters',
      cause: error,
    });
  }
  return awsFailure(error, { service: 'ssm', region, resource: text });
}
