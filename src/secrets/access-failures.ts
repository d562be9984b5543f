/** Converts refusals of IAM and KMS, for both stores, to our codes and the missing policy statement. */
import { readAwsError, roleDenied } from '../aws/failures.ts';
import { dnsSuffix, partitionOf } from '../keys/partition.ts';
import { Failure } from '../errors.ts';
import { arnOf, type Reference } from '../keys/reference.ts';

/** The service in host names, the noun for its values, and the permissions for reading and for storing. */
const stores = {
  parameter: {
    ...{ service: 'ssm', noun: 'parameter' },
    read: { action: 'ssm:GetParameter', kms: 'kms:Decrypt' },
    write: { action: 'ssm:PutParameter', kms: 'kms:Encrypt' },
  },
  secret: {
    ...{ service: 'secretsmanager', noun: 'secret' },
    read: { action: 'secretsmanager:GetSecretValue', kms: 'kms:Decrypt' },
    write: { action: 'secretsmanager:CreateSecret', kms: 'kms:GenerateDataKey' },
  },
} as const;

interface Use {
  readonly region: string;
  readonly use: 'read' | 'write';
}

export function isDenied(error: unknown): boolean {
  return /^AccessDenied/.test(readAwsError(error).name);
}

/** KMS's refusals arrive through the store: in old and new wording, and as InvalidKeyId for a key in a bad state. */
export function isKmsTrouble(error: unknown): boolean {
  const { name, message } = readAwsError(error);
  return (
    name === 'InvalidKeyId' ||
    /kms:(Decrypt|Encrypt|GenerateDataKey)|ciphertext refers to|AWSKMS|Access to KMS/.test(message)
  );
}

/** The refused role, reference or KMS key. The error is one that isDenied accepts. */
export function accessFailure(error: unknown, reference: Reference, region: string): Failure {
  return refusal(error, reference, { region, use: 'read' });
}

/** The same for a call that stores. Where AWS names no permission, the usual one for storing is meant. */
export function writeRefused(error: unknown, reference: Reference, region: string): Failure {
  return refusal(error, reference, { region, use: 'write' });
}

function refusal(error: unknown, reference: Reference, use: Use): Failure {
  if (readAwsError(error).message.includes('sts:AssumeRole')) return roleDenied(error);
  return (isKmsTrouble(error) ? kmsDenied : denied)(error, reference, use);
}

/** @param error with a message about the key's problem */
export function kmsKeyUnusable(error: unknown, { kind, text }: Reference, region: string): Failure {
  const { message } = readAwsError(error);
  return new Failure('KMS_KEY_UNUSABLE', `the KMS key of ${text} in ${region} cannot be used: ${message}`, {
    hint: `enable the key or cancel its deletion (aws kms enable-key --key-id ID), or store the ${stores[kind].noun} again under another key`,
    cause: error,
  });
}

/** AWS's message names the caller, the action, the resource, and the kind of policy that refused. */
function denied(error: unknown, reference: Reference, { region, use }: Use): Failure {
  const { message } = readAwsError(error);
  const { noun, [use]: usual } = stores[reference.kind];
  const [, action = usual.action] = /not authorized to perform: (\S+)/.exec(message) ?? [];
  const [, said = ''] = /on resource: (\S+)/.exec(message) ?? [];
  const exact = said.startsWith('arn:') && !said.endsWith('*');
  const resource = exact ? said : guessArn(reference, region, message);
  const statement = JSON.stringify({ Effect: 'Allow', Action: action, Resource: resource });
  const vague = said.endsWith('*') || (said !== '' && !exact);
  const name = vague && use === 'read' ? '; AWS gives the same answer for a wrong name' : '';
  return new Failure(
    'KEY_ACCESS_DENIED',
    `${doing(action)} the ${noun} ${reference.text} in ${region} is denied: ${message}`,
    { hint: denialHint(message, statement, noun) + name, cause: error },
  );
}

function doing(action: string): string {
  if (/:(Put|Create|Update)/.test(action)) return 'storing';
  if (/Tag/.test(action)) return 'tagging';
  if (/label/i.test(action)) return 'labelling';
  return action.includes(':Delete') ? 'deleting' : 'reading';
}

function denialHint(message: string, statement: string, noun: string): string {
  const [, denier] = /explicit deny in (.*)/.exec(message) ?? [];
  if (denier) return `an Allow does not override an explicit deny: ask the owner of ${denier}`;
  if (message.includes('session policy')) {
    return `the session policy of this step does not allow it: write the ${noun} in keys as it is named in the role's account`;
  }
  if (message.includes('resource-based policy')) {
    return `the ${noun} belongs to another account, which has to share it with yours; add to its resource policy, with your role as Principal: ${statement}`;
  }
  return `add to the role's policy: ${statement}`;
}

function kmsDenied(error: unknown, reference: Reference, { region, use }: Use): Failure {
  const { message } = readAwsError(error);
  const { service, noun, [use]: usual } = stores[reference.kind];
  const [key = `arn:${partitionOf(region)}:kms:${region}:ACCOUNT:key/KEY-ID`] =
    /arn:aws[a-z-]*:kms:[^\s"',)]+/.exec(message) ?? [];
  const [, action = usual.kms] = /perform: (kms:\w+)/.exec(message) ?? [];
  const statement = JSON.stringify({
    Effect: 'Allow',
    Action: action,
    Resource: key,
    Condition: { StringEquals: { 'kms:ViaService': `${service}.${region}.${dnsSuffix(region)}` } },
  });
  return new Failure(
    'KMS_ACCESS_DENIED',
    `${action === 'kms:Decrypt' ? 'decrypting' : 'encrypting'} the ${noun} ${reference.text} in ${region} is denied: ${message}`,
    { hint: `add to the role's policy, with the ${noun}'s KMS key: ${statement}`, cause: error },
  );
}

function guessArn(reference: Reference, region: string, message: string): string {
  const [, partition = partitionOf(region), account = 'ACCOUNT'] =
    /arn:(aws[a-z-]*):(?:sts|iam)::(\d{12}):/.exec(message) ?? [];
  return arnOf(reference, { partition, region, account });
}
