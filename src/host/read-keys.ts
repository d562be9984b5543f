/** Reads keys and credentials on a host, with the machine's credentials or through a cache, and opens the keys. */
import { patienceOf } from '../aws/patience.ts';
import { Troubles } from '../aws/troubles.ts';
import { referencesOf, type StoredKeyLine } from '../keys/key-line.ts';
import type { Reference } from '../keys/reference.ts';
import { readFromCache } from '../secrets/cached-secrets.ts';
import { cacheToken } from '../secrets/cache-token.ts';
import type { Secret } from '../secrets/source.ts';
import type { Host } from './caller.ts';
import type { ReadOptions } from './call-aws.ts';
import { environmentRegion } from './job-role.ts';
import { openKey, type LoadedKey } from './open-key.ts';
import { isCached } from './settings.ts';

export { warnOfPlainText } from './open-key.ts';

export interface HostKeys extends Host {
  readonly keys: readonly StoredKeyLine[];
  /** A cache on this machine. */
  readonly cache?: URL | undefined;
  /** Whether what the cache has may be too old. */
  readonly fresh?: boolean;
}

type Options = Omit<ReadOptions, 'missing'>;

/** @throws the errors of reading and opening; all codes of the catalogue */
export async function readHostKeys(wanted: HostKeys, options: Options): Promise<LoadedKey[]> {
  const secrets = await readHostSecrets(wanted, options);
  return await Promise.all(wanted.keys.map((line) => openKey(line, secrets, options.voice)));
}

/** @returns the secret of each reference, in the order of the references */
export async function readHostSecrets(wanted: HostKeys, options: Options): Promise<Secret[]> {
  const { keys, cache, fresh = false, ...host } = wanted;
  const references = referencesOf(keys);
  if (cache && isForCache(references, wanted, options.env)) {
    return await readCached(references, { ...host, cache, fresh }, options);
  }
  // The AWS SDK is loaded only now: a cache needs none of it.
  const [{ readSecrets }, { callerOnHost }] = await Promise.all([
    import('./read-secrets.ts'),
    import('./caller.ts'),
  ]);
  const { missing, ...caller } = await callerOnHost(host, options.env, references);
  return await readSecrets({ keys, allowedAccounts: [], ...caller }, { ...options, missing });
}

/** The Lambda extension has nothing that makes it ask AWS anew. Its function has the same credentials. */
function isForCache(references: readonly Reference[], wanted: HostKeys, env: Options['env']): boolean {
  if (!isCached(wanted)) return false;
  const refreshes = !env['AWS_LAMBDA_FUNCTION_NAME'] && references.every(({ kind }) => kind === 'secret');
  return wanted.fresh !== true || refreshes;
}

/** Tries of one call, for the time that one may take. */
const maxAttempts = 3;

/** @throws the errors of the cache, and those of AWS that it repeats */
export async function readCached(
  references: readonly Reference[],
  { cache: address, fresh, region, timeoutSeconds }: Host & { readonly cache: URL; readonly fresh: boolean },
  { env, signal, voice }: Options,
): Promise<Secret[]> {
  voice.info(`reading from the cache at ${address.origin}`);
  return await readFromCache(references, {
    ...{ address, fresh, env, signal, troubles: new Troubles() },
    token: await cacheToken(env, signal),
    region: region ?? (environmentRegion(env) || undefined),
    patience: patienceOf({ timeoutSeconds, maxAttempts, regions: [''] }),
  });
}
