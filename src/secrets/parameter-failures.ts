/** What Parameter Store and KMS behind it refuse → our code, the parameter, the policy that mends it. */
import { awsFailure, readAwsError } from '../aws/failures.ts';
import { dnsSuffix, partitionOf } from '../aws/partition.ts';
import { Failure } from '../errors.ts';
import { arnOf, type Reference } from '../keys/reference.ts';

export function isDenied(error: unknown): boolean {
  return /^AccessDenied/.test(readAwsError(error).name);
}

/** KMS's refusals come through SSM: in old and new wording, and as InvalidKeyId for a key in a bad state. */
export function isKmsTrouble(error: unknown): boolean {
  const { name, message } = readAwsError(error);
  return name === 'InvalidKeyId' || /kms:Decrypt|ciphertext refers to|AWSKMS|Access to KMS/.test(message);
}

export function isMissing(error: unknown): boolean {
  return readAwsError(error).name === 'ParameterNotFound';
}

export function missing(reference: Reference, region: string, cause?: unknown): Failure {
  return new Failure('KEY_NOT_FOUND', `there is no parameter ${reference.text} in ${region}`, {
    hint: `check the name, the region and the account: aws ssm get-parameter --region ${region} --name ${reference.name}`,
    cause,
  });
}

export function versionMissing(reference: Reference, region: string, cause?: unknown): Failure {
  const { text, name } = reference;
  return new Failure(
    'KEY_VERSION_NOT_FOUND',
    `the parameter ${text} has no such version or label in ${region}`,
    {
      hint: `see which there are: aws ssm get-parameter-history --region ${region} --name ${name} --query "Parameters[].[Version,Labels]"`,
      cause,
    },
  );
}

export function parameterFailure(error: unknown, reference: Reference, region: string): Failure {
  const { name, message } = readAwsError(error);
  const { text } = reference;
  if (isMissing(error)) return missing(reference, region, error);
  if (/^ParameterVersion(Label)?NotFound$/.test(name)) return versionMissing(reference, region, error);
  if (name === 'InvalidKeyId') {
    return new Failure('KMS_KEY_UNUSABLE', `the KMS key of ${text} in ${region} cannot be used: ${message}`, {
      hint: 'enable the key or cancel its deletion (aws kms enable-key --key-id ID), or store the parameter again under another key',
      cause: error,
    });
  }
  if (isDenied(error) && message.includes('sts:AssumeRole')) return roleDenied(error);
  if (isDenied(error) && isKmsTrouble(error)) return kmsDenied(error, reference, region);
  if (isDenied(error)) return denied(error, reference, region);
  if (name === 'ValidationException') {
    return new Failure('INPUT_INVALID', `Parameter Store does not accept the name ${text}: ${message}`, {
      hint: 'write the name as aws ssm describe-parameters shows it',
      cause: error,
    });
  }
  return awsFailure(error, { service: 'ssm', region, resource: text });
}

/** The default chain asks STS by itself where AWS_WEB_IDENTITY_TOKEN_FILE or a profile says so. */
function roleDenied(error: unknown): Failure {
  const { message } = readAwsError(error);
  return new Failure('ASSUME_ROLE_DENIED', `the default credential chain did not get its role: ${message}`, {
    hint: 'check the trust policy of the role that AWS_ROLE_ARN or the profile names; aws sts get-caller-identity asks for it too',
    cause: error,
  });
}

/** AWS's message names who asked, for which action, on what, and which kind of policy did not allow it. */
function denied(error: unknown, reference: Reference, region: string): Failure {
  const { message } = readAwsError(error);
  const [, action = 'ssm:GetParameter'] = /not authorized to perform: (\S+)/.exec(message) ?? [];
  const [, said] = /on resource: (arn:\S+)/.exec(message) ?? [];
  const resource = said && !said.endsWith('*') ? said : guessArn(reference, region, message);
  const statement = JSON.stringify({ Effect: 'Allow', Action: action, Resource: resource });
  const name = said?.endsWith('*') ? '; a wrong name is answered like this as well' : '';
  return new Failure(
    'KEY_ACCESS_DENIED',
    `reading the parameter ${reference.text} in ${region} is denied: ${message}`,
    {
      hint: denialHint(message, statement) + name,
      cause: error,
    },
  );
}

function denialHint(message: string, statement: string): string {
  const [, denier] = /explicit deny in (.*)/.exec(message) ?? [];
  if (denier) return `no Allow outweighs an explicit deny: ask whoever keeps ${denier}`;
  if (message.includes('session policy')) {
    return "the session policy of this step does not allow it: name the parameter in keys as the role's account knows it";
  }
  return `add to the role's policy: ${statement}`;
}

function kmsDenied(error: unknown, reference: Reference, region: string): Failure {
  const { message } = readAwsError(error);
  const [key = `arn:${partitionOf(region)}:kms:${region}:ACCOUNT:key/KEY-ID`] =
    /arn:aws[a-z-]*:kms:[^\s"',)]+/.exec(message) ?? [];
  const statement = JSON.stringify({
    Effect: 'Allow',
    Action: 'kms:Decrypt',
    Resource: key,
    Condition: { StringEquals: { 'kms:ViaService': `ssm.${region}.${dnsSuffix(region)}` } },
  });
  return new Failure(
    'KMS_ACCESS_DENIED',
    `decrypting the parameter ${reference.text} in ${region} is denied: ${message}`,
    {
      hint: `add to the role's policy, with the parameter's KMS key: ${statement}`,
      cause: error,
    },
  );
}

function guessArn(reference: Reference, region: string, message: string): string {
  const [, partition = partitionOf(region), account = 'ACCOUNT'] =
    /arn:(aws[a-z-]*):(?:sts|iam)::(\d{12}):/.exec(message) ?? [];
  return arnOf(reference, { partition, region, account });
}
