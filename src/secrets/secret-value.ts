/** A secret as GetSecretValue returns it → the text of a reference to it. */
import { Failure } from '../errors.ts';
import { pickField } from '../keys/json-secret.ts';
import type { SecretReference } from '../keys/reference.ts';
import type { Outcome } from './source.ts';

/** Of GetSecretValue, and of an entry of BatchGetSecretValue. */
export interface SecretValue {
  readonly ARN?: string | undefined;
  readonly Name?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: Uint8Array | undefined;
}

/** @returns KEY_FIELD_MISSING, or the secret */
export function secretOf(reference: SecretReference, value: SecretValue): Outcome {
  const text = value.SecretString ?? fromBinary(value.SecretBinary);
  try {
    const { VersionId: version = '', ARN: arn = '' } = value;
    return { reference, text: pickField(text, reference), version, arn, encrypted: true };
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** A key file is text. Other bytes (DER) are converted to base64. */
function fromBinary(bytes: Uint8Array = new Uint8Array()): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('base64');
  }
}
