/** How far the rotation of a KMS key has come, told by its aliases. Pure. */
import type { Named, NamedKey, KmsVersions } from '../../src/host/kms-rotation.ts';
import type { KmsReference } from '../../src/keys/key-reference.ts';
import { nextAlias, previousAlias } from '../../src/keys/rotation-aliases.ts';
import type { Progress, State, StoredKey, Versions } from './progress.ts';

export interface KeyAliases extends Versions, KmsVersions {}

export function kmsProgress(versions: KmsVersions, { name }: KmsReference): Progress<KeyAliases> {
  const { latest } = versions;
  const state = stateOf(versions);
  const isNewest = isKey(versions.next, latest);
  // The alias NAME/next stays on the new key until the rotation ends: so a key of somebody else is told from it.
  const current = state === 'rotated' && isNewest ? { current: idOf(latest) } : {};
  const open = (key: Named, alias: string): StoredKey | undefined =>
    key === undefined || key === 'gone' ? undefined : keyOf(key, alias, name);
  const previous = open(versions.previous, previousAlias(name));
  const next = isNewest ? undefined : open(versions.next, nextAlias(name));
  return {
    ...{ state, latest: keyOf(latest, name, name) },
    versions: { ...versions, arn: latest.arn.replace(/key\/.*$/, name), ...current },
    ...(previous && { previous }),
    ...(next && { next }),
  };
}

function stateOf({ latest, next, previous }: KmsVersions): State {
  if (previous === 'gone') return 'ending';
  const isOld = isKey(previous, latest);
  if (next === undefined) return previous === undefined ? 'none' : 'rotated';
  if (next === 'gone') return previous === undefined || isOld ? 'begun' : 'rotated';
  if (isKey(next, latest)) return previous === undefined || isOld ? 'begun' : 'rotated';
  if (previous === undefined) return 'staged';
  return isOld ? 'kept' : 'changed';
}

function isKey(named: Named, { arn }: NamedKey): boolean {
  return named !== undefined && named !== 'gone' && named.arn === arn;
}

export function idOf({ arn }: NamedKey): string {
  return arn.replace(/^.*\//, '');
}

function keyOf(key: NamedKey, alias: string, name: string): StoredKey {
  const publicKey = { ...key.publicKey, comment: `kms:${name}` };
  return { key: { publicKey }, version: idOf(key), alias };
}
