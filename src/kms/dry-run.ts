/** Asks KMS whether it would sign, and gets no signature. Importing this file loads the AWS SDK. */
import { SignCommand } from '@aws-sdk/client-kms';
import { readAwsError } from '../aws/failures.ts';
import { abortable } from '../deadline.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import type { SignatureAlgorithm } from '../keys/signer.ts';
import { kmsClient, type KmsPlace } from './kms-client.ts';
import { kmsFailure } from './kms-failures.ts';
import { kmsAlgorithms } from './kms-signer.ts';

export interface DryRun extends KmsPlace {
  readonly algorithm: SignatureAlgorithm;
  readonly signal: AbortSignal;
  /** The permissions that its use needs, for the hint. Default: those of a login. */
  readonly actions?: readonly string[];
}

/**
 * AWS counts and logs it like a signature. Servers that emulate KMS may not know dry runs: then they sign this text, which
 * opens nothing.
 *
 * @param wanted `region` is that of the key
 * @throws KEY_NOT_FOUND, KEY_ACCESS_DENIED, KMS_KEY_UNUSABLE, KEY_UNSUPPORTED, and the failures of any call
 * @source KMS Developer Guide, "Testing your permissions"
 */
export async function requireSigning(reference: KmsReference, wanted: DryRun): Promise<void> {
  const { region, algorithm, signal, actions, ...place } = wanted;
  const command = new SignCommand({
    ...{ KeyId: reference.name, SigningAlgorithm: kmsAlgorithms[algorithm], DryRun: true },
    ...({ Message: Buffer.from('ssm-ssh-agent doctor'), MessageType: 'RAW' } as const),
  });
  try {
    await abortable(kmsClient({ ...place, region }, region).send(command, { abortSignal: signal }), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (readAwsError(error).name === 'DryRunOperationException') return;
    throw kmsFailure(error, { reference, region, doing: 'signing with', ...(actions && { actions }) });
  }
}
