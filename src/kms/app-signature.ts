/** Signs the JSON Web Token of a GitHub App by its key in KMS. Importing this file loads the AWS SDK. */
import { SignCommand } from '@aws-sdk/client-kms';
import { notFromAws } from '../aws/failures.ts';
import { inTurn, type Regions } from '../aws/failover.ts';
import { abortable } from '../deadline.ts';
import { Failure } from '../errors.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import { kmsClient, regionsFor, type KmsPlace } from './kms-client.ts';
import { kmsFailure } from './kms-failures.ts';

/** The public half is not needed: KMS refuses this algorithm for keys that are not RSA. */
export const appActions: readonly string[] = ['kms:Sign'];

/**
 * @param message the token's header and payload, at most 4,096 bytes
 * @returns a signature of RS256
 * @throws KEY_NOT_FOUND, KEY_ACCESS_DENIED, KMS_KEY_UNUSABLE, KEY_UNSUPPORTED, and the failures of any call
 * @source RFC 7518 §3.3; KMS API Reference, Sign
 */
export async function signForApp(
  reference: KmsReference,
  message: Buffer,
  { place, regions }: { readonly place: Omit<KmsPlace, 'region'>; readonly regions: Regions },
): Promise<Buffer> {
  const command = new SignCommand({
    ...{ KeyId: reference.name, Message: message, MessageType: 'RAW' },
    SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256',
  });
  const { answer } = await inTurn(
    async ({ region, signal }) => {
      const client = kmsClient({ ...place, region }, region);
      const attempted = { service: 'kms', region, resource: reference.text } as const;
      try {
        const { Signature } = await abortable(client.send(command, { abortSignal: signal }), signal);
        if (!Signature) throw notFromAws(attempted);
        return Buffer.from(Signature);
      } catch (error) {
        signal.throwIfAborted();
        const use = { reference, region, doing: 'signing with', actions: appActions };
        throw forApp(kmsFailure(error, use), reference);
      }
    },
    regionsFor(reference, regions),
  );
  return answer;
}

export function forApp(failure: Failure, { text }: KmsReference): Failure {
  if (failure.code !== 'KEY_UNSUPPORTED') return failure;
  const message = `the KMS key ${text} cannot sign for a GitHub App, which needs an RSA key`;
  return new Failure('KEY_UNSUPPORTED', message, {
    hint: 'move the .pem file that GitHub made into KMS: ssm-ssh-agent put kms:alias/NAME FILE',
    cause: failure,
  });
}
