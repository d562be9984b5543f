/** Keys and credentials for a host and not a job: read with the credentials of the machine; keys are opened, too. */
import type { KeyLine } from '../keys/key-line.ts';
import type { Secret } from '../secrets/source.ts';
import { callerOnHost, type Host } from './caller.ts';
import { readSecrets, type ReadOptions } from './read-secrets.ts';
import { openKey, type LoadedKey } from './open-key.ts';

export { warnOfPlainText } from './open-key.ts';

export interface HostKeys extends Host {
  readonly keys: readonly KeyLine[];
}

type Options = Omit<ReadOptions, 'missing'>;

/** @throws what reading and opening throw, all of the catalogue */
export async function readHostKeys(wanted: HostKeys, options: Options): Promise<LoadedKey[]> {
  const secrets = await readHostSecrets(wanted, options);
  return await Promise.all(wanted.keys.map((line) => openKey(line, secrets, options.voice)));
}

/** What is stored at every reference, in their order. */
export async function readHostSecrets({ keys, ...host }: HostKeys, options: Options): Promise<Secret[]> {
  const { missing, ...caller } = await callerOnHost(host, options.env);
  return await readSecrets({ keys, allowedAccounts: [], ...caller }, { ...options, missing });
}
