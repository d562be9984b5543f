/** A host's way to the keys of a rotation in KMS, with the machine's credentials. Importing this file loads the AWS SDK. */
import { openSessions } from '../aws/session.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import type { Signer } from '../keys/signer.ts';
import { KmsKeyRotation } from '../kms/key-rotation.ts';
import { openKmsSigner } from '../kms/kms-signer.ts';
import { callerOnHost, type Host } from './caller.ts';
import { callerOf, explained, regionFor, type ReadOptions } from './call-aws.ts';

export type { KmsKeyRotation, KmsVersions, Named, NamedKey, Retired } from '../kms/key-rotation.ts';

export interface OpenedRotation {
  readonly keys: KmsKeyRotation;
  /** @param alias one of the three */
  readonly signer: (alias: string) => Promise<Signer & { readonly keyArn: string }>;
}

/**
 * In the first Region only: where a key is made is a choice, and not a matter of who answers.
 *
 * @param reference an alias, not an ARN
 * @throws the errors of assuming the roles; REGION_MISSING
 */
export async function openKmsRotation(
  reference: KmsReference,
  host: Host,
  options: Omit<ReadOptions, 'missing'>,
): Promise<OpenedRotation> {
  const { missing, role, ...wanted } = await callerOnHost(host, options.env);
  const search = { ...wanted, ...options, hint: missing.region };
  const regions = wanted.regions.length > 0 ? wanted.regions : [await regionFor([], search)];
  const caller = callerOf({ ...wanted, regions }, options);
  const { answer, regions: known } = await openSessions([], role, caller);
  const [region = ''] = known;
  const credentials = answer[0]?.credentials;
  const { connection, signal, sleep, warn } = caller;
  const explain = (error: unknown): unknown =>
    explained(connection.troubles.explain(error), { role, env: options.env }, missing);
  const place = { connection, region, ...(credentials && { credentials }) };
  return {
    keys: new KmsKeyRotation(reference, { place, signal, sleep, warn, explain }),
    signer: async (alias) => {
      const named: KmsReference = { kind: 'kms', text: `kms:${alias}`, name: alias };
      const within = { regions: [region], share: 0, signal, warn };
      return await openKmsSigner(named, place, within).catch((error: unknown) => {
        throw explain(error);
      });
    },
  };
}
