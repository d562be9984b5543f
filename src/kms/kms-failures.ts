/** Converts refusals of KMS to our codes and hints. @source KMS API Reference, Sign and GetPublicKey, "Errors" */
import { awsFailure, readAwsError, roleDenied } from '../aws/failures.ts';
import { kmsStatement, signingActions } from '../aws/kms-statement.ts';
import { Failure } from '../errors.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import { partitionOf } from '../keys/partition.ts';

export interface Use {
  readonly reference: KmsReference;
  readonly region: string;
  /** `reading the public key of` */
  readonly doing: string;
  /** The permissions that the use needs. Default: those of a login. */
  readonly actions?: readonly string[];
}

export function kmsFailure(error: unknown, use: Use): Failure {
  const { name, message } = readAwsError(error);
  const { reference, region, doing } = use;
  const { text } = reference;
  const fail = (...[code, what, hint]: [ConstructorParameters<typeof Failure>[0], string, string]): Failure =>
    new Failure(code, what, { hint, cause: error });
  if (/^AccessDenied/.test(name)) {
    return message.includes('sts:AssumeRole') ? roleDenied(error) : denied(error, use);
  }
  switch (name) {
    case 'NotFoundException':
      return fail(
        'KEY_NOT_FOUND',
        `there is no KMS key ${text} in ${region}: ${message}`,
        `check the name, the region and the account: aws kms describe-key --region ${region} --key-id ${reference.name}`,
      );
    case 'DisabledException':
    case 'KMSInvalidStateException':
    case 'KeyUnavailableException':
      return fail(
        'KMS_KEY_UNUSABLE',
        `the KMS key ${text} in ${region} cannot be used: ${message}`,
        stateHint(message, use),
      );
    case 'InvalidKeyUsageException':
    case 'UnsupportedOperationException':
      return fail(
        'KEY_UNSUPPORTED',
        `the KMS key ${text} in ${region} cannot sign logins: ${message}`,
        newKeyHint,
      );
    default:
      return awsFailure(error, { service: 'kms', region, resource: text, doing });
  }
}

/** @source KMS Developer Guide, "Key states of AWS KMS keys" */
function stateHint(message: string, { reference: { name }, region }: Use): string {
  const call = (operation: string): string =>
    `aws kms ${operation} --region ${region} --key-id ${keyIn(message) ?? name}`;
  if (/import/i.test(message))
    return `import its key material: ssm-ssh-agent put kms:alias/NAME FILE makes a new key with it`;
  return /delet/i.test(message)
    ? // AWS disables a key whose deletion is stopped.
      `stop its deletion, and enable it: ${call('cancel-key-deletion')} && ${call('enable-key')}`
    : `enable it: ${call('enable-key')}`;
}

/** Calls that change a key take no alias. */
function keyIn(message: string): string | undefined {
  return /arn:aws[a-z-]*:kms:\S+:key\/[\w-]+/.exec(message)?.[0];
}

export const newKeyHint =
  'make a key for it: ssm-ssh-agent keygen kms:alias/NAME; SSH has RSA of 2,048 to 4,096 bits, P-256, P-384, P-521 and Ed25519, with the usage SIGN_VERIFY';

/** AWS's message names the caller, the action, the key, and the kind of policy that refused. */
function denied(error: unknown, use: Use): Failure {
  const { message } = readAwsError(error);
  const { reference, region, doing } = use;
  return new Failure(
    'KEY_ACCESS_DENIED',
    `${doing} the KMS key ${reference.text} in ${region} is denied: ${message}`,
    {
      hint: denialHint(message, use),
      cause: error,
    },
  );
}

function denialHint(message: string, { reference, region, actions = signingActions }: Use): string {
  const [, denier] = /explicit deny in (.*)/.exec(message) ?? [];
  if (denier) return `an Allow does not override an explicit deny: ask the owner of ${denier}`;
  if (message.includes('session policy')) {
    return 'the session policy of this step does not allow it: write the key in keys as it is named in the account of the role';
  }
  const [, partition = partitionOf(region), account = 'ACCOUNT'] =
    /arn:(aws[a-z-]*):(?:sts|iam)::(\d{12}):/.exec(message) ?? [];
  const statement = kmsStatement(reference, { partition, region, account }, actions);
  if (message.includes('resource-based policy')) {
    const own = { ...statement, Resource: '*' };
    return `add to the policy of the key, with your role as Principal: ${JSON.stringify(own)}`;
  }
  return `add to the role's policy: ${JSON.stringify(statement)}`;
}
