/** The public keys of a rotation at the repository. Keys are compared by their bytes: titles are anybody's. */
import type { DeployKey, DeployKeys } from '../../src/keys/deploy-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { titleName } from './plan.ts';
import { isSame, type Progress, type StoredKey } from './progress.ts';
import type { Rotation } from './rotation.ts';
import { titleFor } from './texts.ts';

/** The new key gets what the old one has. @throws INPUT_INVALID if the repository does not have the old one */
export async function register(
  host: DeployKeys,
  { latest, next }: Progress,
  { plan, say, refusals, today }: Rotation,
): Promise<void> {
  if (!next) throw new TypeError('no key is staged');
  const keys = await host.list();
  if (find(keys, next)) return;
  const old = find(keys, latest);
  if (!old) throw refusals.unknownKey(host.place);
  const title = titleFor(old.title, titleName(plan.reference), today);
  await host.add({ title, publicKey: lineOf(next), readOnly: old.readOnly });
  say(
    `registered the new public key in ${host.place} as "${title}", ${old.readOnly ? 'read-only' : 'with write access'}`,
  );
}

/** Another repository has none of the keys. @throws INPUT_INVALID */
export async function checkRepository(
  host: DeployKeys,
  known: readonly (StoredKey | undefined)[],
  { refusals }: Rotation,
): Promise<void> {
  const keys = await host.list();
  if (!known.some((key) => key && find(keys, key))) throw refusals.notItsKey(host.place);
}

export async function removeFrom(host: DeployKeys, key: StoredKey, { say }: Rotation): Promise<void> {
  const found = find(await host.list(), key);
  if (!found) {
    say(`${host.place} no longer has the public key`);
    return;
  }
  await host.remove(found);
  say(`removed "${found.title}" from ${host.place}`);
}

/** Gives up a new key that will never be served. By hand, somebody may have registered it. */
export async function giveUp(
  key: StoredKey,
  { latest, previous }: Progress,
  rotation: Rotation,
): Promise<void> {
  const { host, say } = rotation;
  if ([latest, previous].some((used) => used && isSame(used, key))) return;
  if (host) await removeFrom(host, key, rotation);
  else
    say(`a new key is given up: remove its public key from the host, if you have added it: ${lineOf(key)}`);
}

function lineOf({ key }: StoredKey): string {
  return authorizedKeysLine({ ...key.publicKey, comment: '' });
}

function find(keys: readonly DeployKey[], { key }: StoredKey): DeployKey | undefined {
  return keys.find(({ blob }) => blob.equals(key.publicKey.blob));
}
