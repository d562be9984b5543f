/** A host's folder of parameters, for reading and writing, with the machine's credentials. */
import { ParameterFolder } from '../secrets/parameter-folder.ts';
import type { Host } from './caller.ts';
import type { ReadOptions } from './call-aws.ts';
import { openHostSession } from './host-session.ts';

export interface HostFolder extends Host {
  readonly kmsKeyId: string | undefined;
}

/**
 * The methods throw the errors of the default credential chain unchanged: the chain is first asked there.
 *
 * @throws as openHostSession
 */
export async function openHostFolder(
  { kmsKeyId, ...host }: HostFolder,
  options: Omit<ReadOptions, 'missing'>,
): Promise<ParameterFolder> {
  const { place, caller, explain } = await openHostSession(host, options);
  const { signal, sleep } = caller;
  return new ParameterFolder({ ...place, signal, sleep, kmsKeyId, explain });
}
