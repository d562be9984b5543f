/** Converts what KMS refuses when a key is made to our codes and hints. @source KMS API Reference, CreateKey, CreateAlias, ImportKeyMaterial */
import { awsFailure, readAwsError, roleDenied } from '../aws/failures.ts';
import { Failure } from '../errors.ts';
import { partitionOf } from '../keys/partition.ts';

export interface Making {
  /** `kms:alias/deploy` */
  readonly text: string;
  readonly region: string;
  readonly imports: boolean;
}

/** The permissions, which the key cannot limit: it is not there yet. */
const making = [
  'kms:CreateKey',
  'kms:TagResource',
  'kms:CreateAlias',
  'kms:GetPublicKey',
  'kms:ScheduleKeyDeletion',
];
const importing = ['kms:GetParametersForImport', 'kms:ImportKeyMaterial'];

export function makingFailure(error: unknown, { text, region, imports }: Making): Failure {
  const { name, message } = readAwsError(error);
  const fail = (
    code: 'INPUT_INVALID' | 'KEY_ACCESS_DENIED' | 'KEY_UNSUPPORTED',
    what: string,
    hint: string,
  ): Failure => new Failure(code, what, { hint, cause: error });
  if (/^AccessDenied/.test(name)) {
    if (message.includes('sts:AssumeRole')) return roleDenied(error);
    const [, partition = partitionOf(region), account = 'ACCOUNT'] =
      /arn:(aws[a-z-]*):(?:sts|iam)::(\d{12}):/.exec(message) ?? [];
    const Action = [...making, ...(imports ? importing : [])];
    const Resource = [
      `arn:${partition}:kms:${region}:${account}:key/*`,
      `arn:${partition}:kms:${region}:${account}:alias/*`,
    ];
    const statements = [
      { Effect: 'Allow', Action: 'kms:CreateKey', Resource: '*' },
      { Effect: 'Allow', Action: Action.slice(1), Resource },
    ];
    return fail(
      'KEY_ACCESS_DENIED',
      `making the KMS key ${text} in ${region} is denied: ${message}`,
      `add to the role's policy: ${JSON.stringify(statements)}`,
    );
  }
  if (name === 'AlreadyExistsException') return alreadyThere({ text, region }, error);
  if (name === 'UnsupportedOperationException' || name === 'ValidationException') {
    return fail(
      'KEY_UNSUPPORTED',
      `KMS in ${region} does not make the key ${text}: ${message}`,
      'choose another --type, or another --region: not every Region has every type',
    );
  }
  if (name === 'IncorrectKeyMaterialException' || name === 'InvalidCiphertextException') {
    return fail(
      'KEY_UNSUPPORTED',
      `KMS in ${region} does not take the key for ${text}: ${message || name}`,
      'make a new key instead, and register its public key: ssm-ssh-agent keygen kms:alias/NAME',
    );
  }
  return awsFailure(error, { service: 'kms', region, resource: text, doing: 'making' });
}

export function alreadyThere({ text, region }: Pick<Making, 'text' | 'region'>, cause?: unknown): Failure {
  return new Failure(
    'INPUT_INVALID',
    `there is a KMS key ${text} in ${region} already, and it is not changed`,
    {
      hint: `write another name; ssm-ssh-agent public ${text} prints the public key of the present one`,
      cause,
    },
  );
}
