/** Stores a key with the machine's credentials or a role. Importing this file loads the AWS SDK. */
import { callerAccount } from '../aws/account.ts';
import { openSessions } from '../aws/session.ts';
import { abortable } from '../deadline.ts';
import type { NewVersion, StoredVersion } from '../secrets/new-version.ts';
import { writeVersion } from '../secrets/write.ts';
import { callerOnHost, type Host } from './caller.ts';
import { callerOf, explained, regionFor, retryIfExpired, warnOfProxy, type ReadOptions } from './call-aws.ts';

export interface HostVersion extends Host {
  readonly version: NewVersion;
}

type Options = Omit<ReadOptions, 'missing'>;

/** @throws the errors of assuming the roles and of writeVersion; REGION_MISSING */
export async function writeHostVersion(
  { version, ...host }: HostVersion,
  options: Options,
): Promise<StoredVersion> {
  const { env, signal, voice } = options;
  const { missing, role, ...wanted } = await callerOnHost(host, env, [version.reference]);
  warnOfProxy(options);
  const region = await regionOf(version, { ...wanted, ...options, hint: missing.region });
  const caller = callerOf({ ...wanted, regions: [region] }, options);
  const write = async (): Promise<StoredVersion> => {
    const { answer } = await openSessions([], role, caller);
    const credentials = answer[0]?.credentials;
    const { connection, sleep, warn } = caller;
    return await writeVersion(version, {
      ...{ connection, region, signal, sleep, warn, ...(credentials && { credentials }) },
      account: async () =>
        role?.arn.split(':')[4] ?? (await callerAccount({ region, signal }, caller)).account,
    });
  };
  try {
    // An expired token is refused before anything is stored.
    const { forget } = caller.connection.credentials;
    return await retryIfExpired({ role, env, voice, forget }, () => abortable(write(), signal));
  } catch (error) {
    throw explained(caller.connection.troubles.explain(error), { role, env }, missing);
  }
}

async function regionOf(
  { reference }: NewVersion,
  { regions, ...search }: { readonly regions: readonly string[] } & Parameters<typeof regionFor>[1],
): Promise<string> {
  return reference.location?.region ?? regions[0] ?? (await abortable(regionFor([], search), search.signal));
}
