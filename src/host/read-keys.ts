/** Reads keys and credentials on a host, with the machine's credentials, and opens the keys. */
import type { StoredKeyLine } from '../keys/key-line.ts';
import type { Secret } from '../secrets/source.ts';
import { callerOnHost, type Host } from './caller.ts';
import type { ReadOptions } from './call-aws.ts';
import { readSecrets } from './read-secrets.ts';
import { openKey, type LoadedKey } from './open-key.ts';

export { warnOfPlainText } from './open-key.ts';

export interface HostKeys extends Host {
  readonly keys: readonly StoredKeyLine[];
}

type Options = Omit<ReadOptions, 'missing'>;

/** @throws the errors of reading and opening; all codes of the catalogue */
export async function readHostKeys(wanted: HostKeys, options: Options): Promise<LoadedKey[]> {
  const secrets = await readHostSecrets(wanted, options);
  return await Promise.all(wanted.keys.map((line) => openKey(line, secrets, options.voice)));
}

/** @returns the secret of each reference, in the order of the references */
export async function readHostSecrets({ keys, ...host }: HostKeys, options: Options): Promise<Secret[]> {
  const { missing, ...caller } = await callerOnHost(host, options.env);
  return await readSecrets({ keys, allowedAccounts: [], ...caller }, { ...options, missing });
}
