/** A host's own folder of parameters, opened with the credentials of the machine: to be read, and to be written. */
import { openSessions } from '../aws/session.ts';
import { ParameterFolder } from '../secrets/parameter-folder.ts';
import { callerOnHost, type Host } from './caller.ts';
import { callerOf, explained, regionFor, type ReadOptions } from './read-secrets.ts';

export interface HostFolder extends Host {
  readonly kmsKeyId: string | undefined;
}

/**
 * What its methods throw of credentials is the default chain's, as it is: nobody asks for them before.
 *
 * @throws what assuming the roles throws
 */
export async function openHostFolder(
  { kmsKeyId, ...host }: HostFolder,
  options: Omit<ReadOptions, 'missing'>,
): Promise<ParameterFolder> {
  const { missing, role, ...wanted } = await callerOnHost(host, options.env);
  const search = { ...wanted, ...options, hint: missing.region };
  const regions = wanted.regions.length > 0 ? wanted.regions : [await regionFor([], search)];
  const caller = callerOf({ ...wanted, regions }, options);
  const { answer, regions: known } = await openSessions([], role, caller);
  const [region = ''] = known;
  const credentials = answer[0]?.credentials;
  const { connection, signal, sleep } = caller;
  return new ParameterFolder({
    ...{ connection, region, signal, sleep, kmsKeyId, ...(credentials && { credentials }) },
    explain: (error) => explained(error, { role, env: options.env }, missing),
  });
}
