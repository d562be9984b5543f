/** A host's folder of parameters, for reading and writing, with the machine's credentials. */
import { openSessions } from '../aws/session.ts';
import { ParameterFolder } from '../secrets/parameter-folder.ts';
import { callerOnHost, type Host } from './caller.ts';
import { callerOf, explained, regionFor, type ReadOptions } from './call-aws.ts';

export interface HostFolder extends Host {
  readonly kmsKeyId: string | undefined;
}

/**
 * The methods throw the errors of the default credential chain unchanged: the chain is first asked there.
 *
 * @throws the errors of assuming the roles
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
