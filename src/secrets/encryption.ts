/** Asks Parameter Store and Secrets Manager which KMS key encrypts a parameter or a secret. No value is read. */
import { SSMClient, type SSMClientConfig } from '@aws-sdk/client-ssm';
import { readAwsError } from '../aws/failures.ts';
import { encryptionOf, type Stored } from '../aws/key-policy.ts';
import type { Location, ParameterReference, Reference, SecretReference } from '../keys/reference.ts';
import { findMetadata } from './parameter-metadata.ts';
import type { SourceOptions } from './source.ts';

/** `why` the key is not known: a message of AWS, or our own. */
export type Described = Stored & { readonly why?: string };

export interface DescribeOptions extends Pick<SourceOptions, 'connection' | 'signal'> {
  /** The place of references that are not ARNs, with the account of the credentials. */
  readonly home: Location;
}

/** Each reference in its Region. Errors are reasons and never thrown. */
export async function describeEncryption(
  references: readonly Reference[],
  options: DescribeOptions,
): Promise<Described[]> {
  return await Promise.all(references.map((reference) => describe(reference, options)));
}

async function describe(reference: Reference, options: DescribeOptions): Promise<Described> {
  const place = reference.location ?? options.home;
  const unknown = (why: string): Described => ({ reference, encryption: { kind: 'unknown' }, why });
  if (place.account !== options.home.account) return unknown(`it belongs to the account ${place.account}`);
  try {
    const at = { ...options, place };
    const found = await (reference.kind === 'parameter'
      ? ofParameter(reference, at)
      : ofSecret(reference, at));
    return found ?? unknown(`there is none in ${place.region}`);
  } catch (error) {
    options.signal.throwIfAborted();
    const { name, message } = readAwsError(error);
    return unknown(name === 'ResourceNotFoundException' ? `there is none in ${place.region}` : message);
  }
}

interface At extends DescribeOptions {
  readonly place: Location;
}

/** @source Systems Manager API Reference, DescribeParameters: `KeyId` is as PutParameter was given it */
async function ofParameter(reference: ParameterReference, at: At): Promise<Described | undefined> {
  const client = new SSMClient(clientOptions(at));
  const name = reference.name.replace(/^arn:.*:parameter(?=\/)/, '');
  // The ARN of a name without a slash has one.
  const names = reference.location && /^\/[^/]+$/.test(name) ? [name, name.slice(1)] : [name];
  const found = await findMetadata(names, (command) => client.send(command, { abortSignal: at.signal }));
  if (!found) return undefined;
  const { Type: type, KeyId: key = 'alias/aws/ssm' } = found;
  if (type !== 'SecureString') return { reference, encryption: { kind: 'none' } };
  return { reference, encryption: encryptionOf(key, at.place) ?? { kind: 'unknown' } };
}

/** @source Secrets Manager API Reference, DescribeSecret: without `KmsKeyId` the key is aws/secretsmanager */
async function ofSecret(reference: SecretReference, at: At): Promise<Described> {
  const { DescribeSecretCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient(clientOptions(at));
  const command = new DescribeSecretCommand({ SecretId: reference.name });
  const { ARN: arn, KmsKeyId: key = 'alias/aws/secretsmanager' } = await client.send(command, {
    abortSignal: at.signal,
  });
  const encryption = encryptionOf(key, at.place) ?? ({ kind: 'unknown' } as const);
  return { reference, encryption, ...(arn !== undefined && { arn }) };
}

/** The credentials are the connection's own. */
function clientOptions({ connection, place }: At): SSMClientConfig {
  return { region: place.region, ...connection };
}
