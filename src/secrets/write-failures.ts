/** Converts errors of calls that store a value to our codes and hints. */
import { awsFailure, readAwsError } from '../aws/failures.ts';
import { Failure, type Code } from '../errors.ts';
import type { ParameterReference, Reference, SecretReference } from '../keys/reference.ts';
import { isDenied, kmsKeyUnusable, writeRefused } from './access-failures.ts';
import { secretFailure } from './secret-failures.ts';

export function isParameterThere(error: unknown): boolean {
  return readAwsError(error).name === 'ParameterAlreadyExists';
}

export function isSecretThere(error: unknown): boolean {
  return readAwsError(error).name === 'ResourceExistsException';
}

export function alreadyThere(reference: Reference, region: string, cause?: unknown): Failure {
  const { kind, text } = reference;
  const old =
    kind === 'parameter'
      ? 'the old one stays readable as NAME:VERSION'
      : 'the old one stays readable as AWSPREVIOUS';
  return new Failure('INPUT_INVALID', `the ${kind} ${text} exists in ${region}, and was not changed`, {
    hint: `write another name, or add --overwrite, which stores a new version: ${old}`,
    cause,
  });
}

/** ssm:DescribeParameters is denied. A new version with AWS's own key could be read by more people than the old one. */
export function keyNotKnown({ text }: ParameterReference, cause: unknown): Failure {
  const statement = { Effect: 'Allow', Action: 'ssm:DescribeParameters', Resource: '*' };
  return new Failure(
    'KEY_ACCESS_DENIED',
    `the KMS key of the parameter ${text} is not known, because ssm:DescribeParameters is denied, and nothing was stored`,
    {
      hint: `name the KMS key with --kms-key-id (alias/aws/ssm is AWS's own); or add to the policy: ${JSON.stringify(statement)}`,
      cause,
    },
  );
}

/** The answer to the first try was lost, and what is stored now cannot be read. */
export function mayBeOurs({ kind, text }: Reference, region: string, cause: unknown): Failure {
  return new Failure(
    'PROVIDER_FAILED',
    `the ${kind} ${text} exists in ${region}, and perhaps this command stored it: the first answer of AWS was lost`,
    {
      hint: `compare the public key and the time: ssm-ssh-agent public ${text}; then use it, or store again with --overwrite`,
      cause,
    },
  );
}

export function notTagged(failure: Failure, { kind, text }: Reference, version: string): Failure {
  const what = `the ${kind} ${text} is stored as version ${version}, but without its tags: ${failure.message}`;
  return new Failure(failure.code, what, {
    hint: `${failure.hint}; ssm-ssh-agent public ${text} prints the public key`,
    cause: failure,
  });
}

/** @source Systems Manager API Reference, PutParameter, "Errors" */
const ofParameters: Readonly<Record<string, readonly [Code, problem: string, hint: string]>> = {
  HierarchyLevelLimitExceededException: [
    'INPUT_INVALID',
    'has more than 15 levels',
    'write a name with fewer slashes',
  ],
  HierarchyTypeMismatchException: [
    'INPUT_INVALID',
    'is not a SecureString, and AWS does not change the type of a parameter',
    'write another name, or delete that one first: aws ssm delete-parameter --name NAME',
  ],
  ParameterLimitExceeded: [
    'PROVIDER_FAILED',
    'does not fit in the quota of this account and Region',
    'delete other parameters, or write --tier advanced: 100,000 parameters instead of 10,000',
  ],
  ParameterMaxVersionLimitExceeded: [
    'PROVIDER_FAILED',
    'has 100 versions, and the oldest has a label, so that AWS does not delete it',
    'remove that label: aws ssm unlabel-parameter-version --name NAME --parameter-version VERSION --labels LABEL',
  ],
};

export function parameterWriteFailure(
  error: unknown,
  reference: ParameterReference,
  region: string,
): Failure {
  const { name, message } = readAwsError(error);
  const { text } = reference;
  const fail = (code: Code, what: string, hint: string): Failure =>
    new Failure(code, what, { hint, cause: error });
  const known = ofParameters[name];
  if (known) {
    const [code, problem, hint] = known;
    const said = code === 'PROVIDER_FAILED' && message ? ` (${message})` : '';
    return fail(code, `the parameter ${text} ${problem}${said}`, hint.replace('NAME', reference.name));
  }
  if (name === 'InvalidKeyId') return unusableKey(error, reference, region);
  if (isDenied(error)) return writeRefused(error, reference, region);
  if (name === 'ValidationException') return fail('INPUT_INVALID', ...invalidValue(message, text));
  if (name === 'TooManyUpdates') {
    return fail('THROTTLED', `other programs are changing the parameter ${text}`, 'run it again');
  }
  return awsFailure(error, { service: 'ssm', region, resource: text, doing: 'storing' });
}

function invalidValue(message: string, text: string): [what: string, hint: string] {
  if (/downgrade/.test(message)) {
    return [`the parameter ${text} is an advanced one, and cannot become a standard one`, 'leave out --tier'];
  }
  if (/4096|8192/.test(message)) {
    const hint = 'write --tier advanced (8,192 bytes), or --secretsmanager (65,536 bytes)';
    return [`the value for ${text} is too large: ${message}`, hint];
  }
  return [
    `Parameter Store does not accept ${text}: ${message}`,
    'correct the name or the option that the message names',
  ];
}

/** Secrets Manager's errors have the same names for reading and for storing, but mean other things. */
export function secretWriteFailure(error: unknown, reference: SecretReference, region: string): Failure {
  const { name, message } = readAwsError(error);
  const { text } = reference;
  const fail = (code: Code, what: string, hint: string): Failure =>
    new Failure(code, what, { hint, cause: error });
  if (isDenied(error)) return writeRefused(error, reference, region);
  if (name === 'EncryptionFailure') return unusableKey(error, reference, region);
  if (name === 'LimitExceededException') {
    const what = `the secret ${text} does not fit in a quota of Secrets Manager: ${message}`;
    return fail('PROVIDER_FAILED', what, 'delete other secrets, or old versions of this one');
  }
  if (name === 'InvalidParameterException' || name === 'ValidationException') {
    const what = `Secrets Manager does not accept ${text}: ${message}`;
    return fail('INPUT_INVALID', what, 'correct the name or the option that the message names');
  }
  return secretFailure(error, reference, region);
}

/** A KMS key that does not exist is most often one that --kms-key-id names. */
function unusableKey(error: unknown, reference: Reference, region: string): Failure {
  if (!/NotFound|not exist|invalid/i.test(readAwsError(error).message))
    return kmsKeyUnusable(error, reference, region);
  const { message } = readAwsError(error);
  return new Failure(
    'KMS_KEY_UNUSABLE',
    `the KMS key for ${reference.text} is not in ${region}: ${message}`,
    {
      hint: `check --kms-key-id: aws kms describe-key --region ${region} --key-id ID`,
      cause: error,
    },
  );
}
