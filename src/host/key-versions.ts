/** A host's way to the versions of one stored key, with the machine's credentials. Importing this file loads the AWS SDK. */
import type { Reference } from '../keys/reference.ts';
import type { KeyVersionStore } from '../secrets/key-versions.ts';
import { parameterVersions } from '../secrets/parameter-versions.ts';
import type { Host } from './caller.ts';
import type { ReadOptions } from './call-aws.ts';
import { openHostSession } from './host-session.ts';

export type { KeyVersion, KeyVersions, KeyVersionStore } from '../secrets/key-versions.ts';

/**
 * The methods of the store throw the errors of the default credential chain: the chain is first asked there.
 *
 * @throws as openHostSession
 */
export async function openKeyVersions(
  reference: Reference,
  host: Host,
  options: Omit<ReadOptions, 'missing'>,
): Promise<KeyVersionStore> {
  const { place, caller, explain } = await openHostSession(host, options, [reference]);
  const { signal, sleep } = caller;
  const change = { ...place, signal, sleep, explain };
  if (reference.kind === 'parameter') return parameterVersions(reference, change);
  const { secretVersions } = await import('../secrets/secret-versions.ts');
  return secretVersions(reference, change);
}
