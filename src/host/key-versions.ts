/** A host's way to the versions of one stored key, with the machine's credentials. Importing this file loads the AWS SDK. */
import { openSessions } from '../aws/session.ts';
import type { Reference } from '../keys/reference.ts';
import type { KeyVersionStore } from '../secrets/key-versions.ts';
import { parameterVersions } from '../secrets/parameter-versions.ts';
import { callerOnHost, type Host } from './caller.ts';
import { callerOf, explained, regionFor, type ReadOptions } from './call-aws.ts';

export type { KeyVersion, KeyVersions, KeyVersionStore } from '../secrets/key-versions.ts';

/**
 * The methods of the store throw the errors of the default credential chain: the chain is first asked there.
 *
 * @throws the errors of assuming the roles; REGION_MISSING
 */
export async function openKeyVersions(
  reference: Reference,
  host: Host,
  options: Omit<ReadOptions, 'missing'>,
): Promise<KeyVersionStore> {
  const { missing, role, ...wanted } = await callerOnHost(host, options.env);
  const search = { ...wanted, ...options, hint: missing.region };
  const regions = reference.location
    ? [reference.location.region]
    : wanted.regions.length > 0
      ? wanted.regions
      : [await regionFor([], search)];
  const caller = callerOf({ ...wanted, regions }, options);
  const { answer, regions: known } = await openSessions([], role, caller);
  const [region = ''] = known;
  const credentials = answer[0]?.credentials;
  const { connection, signal, sleep } = caller;
  const change = {
    ...{ connection, region, signal, sleep, ...(credentials && { credentials }) },
    explain: (error: unknown) =>
      explained(connection.troubles.explain(error), { role, env: options.env }, missing),
  };
  if (reference.kind === 'parameter') return parameterVersions(reference, change);
  const { secretVersions } = await import('../secrets/secret-versions.ts');
  return secretVersions(reference, change);
}
