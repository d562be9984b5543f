/** A host's folder of parameters, for reading and writing, with the machine's credentials. */
import { abortable } from '../deadline.ts';
import { ParameterFolder } from '../secrets/parameter-folder.ts';
import { roleOnHost, type Host } from './caller.ts';
import { retryIfExpired, type ReadOptions } from './call-aws.ts';
import { openHostSession } from './host-session.ts';

export interface HostFolder extends Host {
  readonly kmsKeyId: string | undefined;
}

/**
 * @param work is done again with new credentials if AWS says that the first ones have expired
 * @throws as openHostSession and the work; the default credential chain is first asked by the work
 */
export async function withHostFolder<T>(
  { kmsKeyId, ...host }: HostFolder,
  options: Omit<ReadOptions, 'missing'>,
  work: (folder: ParameterFolder) => Promise<T>,
): Promise<T> {
  const role = roleOnHost(host.roles);
  const once = async (): Promise<T> => {
    const { place, caller, explain } = await openHostSession(host, options);
    const { signal, sleep } = caller;
    return await work(new ParameterFolder({ ...place, signal, sleep, kmsKeyId, explain }));
  };
  return await retryIfExpired({ ...options, role }, () => abortable(once(), options.signal));
}
