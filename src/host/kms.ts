/** Works with keys in KMS with the machine's credentials or a role. Importing this file loads the AWS SDK. */
import type { Regions } from '../aws/failover.ts';
import { openSessions } from '../aws/session.ts';
import { abortable } from '../deadline.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import type { KmsPlace } from '../kms/kms-client.ts';
import { openKmsSigner, type KmsSigner } from '../kms/kms-signer.ts';
import { makeKmsKey, type MadeKmsKey, type NewKmsKey } from '../kms/make-key.ts';
import { callerOnHost, type Host } from './caller.ts';
import { callerOf, explained, regionsOf, retryIfExpired, warnOfProxy, type ReadOptions } from './call-aws.ts';

type Options = Omit<ReadOptions, 'missing'>;

/** How KMS is called, and where a key is that is not an ARN. */
export interface KmsAccess {
  readonly place: Omit<KmsPlace, 'region'>;
  readonly regions: Regions;
}

/**
 * @param references for which the work is done; if all are ARNs, no other Region has to be known
 * @throws the errors of assuming the roles and of the work; REGION_MISSING
 */
export async function withKms<T>(
  references: readonly KmsReference[],
  host: Host,
  { options, work }: { readonly options: Options; readonly work: (access: KmsAccess) => Promise<T> },
): Promise<T> {
  const { env, signal, voice } = options;
  const { missing, role, ...wanted } = await callerOnHost(host, env, references);
  warnOfProxy(options);
  const own = references.map(({ location }) => location?.region);
  const known =
    wanted.regions.length === 0 && own.every((region) => region !== undefined)
      ? own.slice(0, 1)
      : wanted.regions;
  const asked = { ...wanted, regions: known, role, keys: [], allowedAccounts: [] };
  const regions = await regionsOf(asked, { ...options, missing });
  const caller = callerOf({ ...wanted, regions }, options);
  const perform = async (): Promise<T> => {
    const { answer, regions: reachable } = await openSessions([], role, caller);
    const credentials = answer[0]?.credentials;
    const place = { connection: caller.connection, ...(credentials && { credentials }) };
    return await work({ place, regions: { ...caller, regions: reachable } });
  };
  try {
    return await retryIfExpired({ role, env, voice }, () => abortable(perform(), signal));
  } catch (error) {
    throw explained(caller.connection.troubles.explain(error), { role, env }, missing);
  }
}

/** @returns the signers, in the order of the references */
export async function openHostSigners(
  references: readonly KmsReference[],
  host: Host,
  options: Options,
): Promise<KmsSigner[]> {
  return await withKms(references, host, {
    options,
    work: ({ place, regions }) =>
      Promise.all(references.map((reference) => openKmsSigner(reference, place, regions))),
  });
}

/** In the first Region only: where a key is made is a choice, and not a matter of who answers. */
export async function makeHostKey(wanted: NewKmsKey, host: Host, options: Options): Promise<MadeKmsKey> {
  return await withKms([wanted.reference], host, {
    options,
    work: ({ place, regions: { regions, signal, warn } }) =>
      makeKmsKey(wanted, { place: { ...place, region: regions[0] ?? '' }, signal, warn }),
  });
}
