/** A host's way to the keys of a rotation in KMS, with the machine's credentials. Importing this file loads the AWS SDK. */
import type { KmsReference } from '../keys/key-reference.ts';
import type { Signer } from '../keys/signer.ts';
import { KmsKeyRotation } from '../kms/key-rotation.ts';
import { openKmsSigner } from '../kms/kms-signer.ts';
import type { Host } from './caller.ts';
import type { ReadOptions } from './call-aws.ts';
import { openHostSession } from './host-session.ts';

export type { KmsKeyRotation, KmsVersions, Named, NamedKey, Retired } from '../kms/key-rotation.ts';

export interface OpenedRotation {
  readonly keys: KmsKeyRotation;
  /** @param alias one of the three */
  readonly signer: (alias: string) => Promise<Signer & { readonly keyArn: string }>;
}

/**
 * @param reference an alias, not an ARN
 * @throws as openHostSession
 */
export async function openKmsRotation(
  reference: KmsReference,
  host: Host,
  options: Omit<ReadOptions, 'missing'>,
): Promise<OpenedRotation> {
  const { place, caller, explain } = await openHostSession(host, options);
  const { signal, sleep, warn } = caller;
  return {
    keys: new KmsKeyRotation(reference, { place, signal, sleep, warn, explain }),
    signer: async (alias) => {
      const named: KmsReference = { kind: 'kms', text: `kms:${alias}`, name: alias };
      const within = { regions: [place.region], share: 0, signal, warn };
      return await openKmsSigner(named, place, within).catch((error: unknown) => {
        throw explain(error);
      });
    },
  };
}
