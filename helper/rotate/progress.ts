/** How far the rotation of a stored key has come, told by what AWS has. */
import { Failure } from '../../src/errors.ts';
import { parseStoredKey } from '../../src/host/open-key.ts';
import type { KeyVersions } from '../../src/host/key-versions.ts';
import type { PrivateKey } from '../../src/keys/private-key.ts';
import type { Reference } from '../../src/keys/reference.ts';

/**
 * - `none`: nothing is begun;
 * - `begun`: a KMS key is being made, or is given up, and has no alias that is seen;
 * - `staged`: the new key is stored where nobody reads it, and the old key is the latest version;
 * - `kept`: the old key has the label `previous`, too;
 * - `served`: the new key is the latest version, and is staged, too;
 * - `rotated`: the new key is the latest version, and the old public key waits for --finish. If a key is staged, it is a
 *   stray: a process that was slow staged it too late;
 * - `ending`: the new key is the latest one, and the deletion of the old KMS key is scheduled;
 * - `changed`: a key of somebody else is the latest version.
 */
export type State = 'none' | 'begun' | 'staged' | 'kept' | 'served' | 'rotated' | 'ending' | 'changed';

export interface StoredKey {
  /** Without its private fields, it is in KMS. */
  readonly key: Pick<PrivateKey, 'publicKey'> & Partial<PrivateKey>;
  /** A parameter's number, a secret's version id, or the id of a KMS key. */
  readonly version: string;
  /** By which a KMS key signs. */
  readonly alias?: string;
}

/** What a store has at one moment, for its next calls. */
export interface Versions {
  readonly arn: string;
  /** The version that the last rotation has ended with. */
  readonly current?: string;
}

export interface Progress<V extends Versions = Versions> {
  readonly state: State;
  readonly versions: V;
  readonly latest: StoredKey;
  readonly previous?: StoredKey;
  readonly next?: StoredKey;
}

/** @throws the errors of a stored key that cannot be used; KEY_ENCRYPTED */
export function progressOf(
  versions: KeyVersions,
  reference: Reference,
  staging: string,
): Progress<KeyVersions> {
  const open = (version: KeyVersions['latest'] | undefined, name: string): StoredKey | undefined =>
    version && { key: openKey(version.text, { ...reference, text: name }), version: version.version };
  const { text } = reference;
  const latest = { key: openKey(versions.latest.text, reference), version: versions.latest.version };
  const previous = open(versions.previous, `${text} (label previous)`);
  const next = open(versions.next, staging);
  const { isStale, current } = versions;
  const state = stateOf({ latest, previous, next, isStale, current });
  return { state, versions, latest, ...(previous && { previous }), ...(next && { next }) };
}

interface Keys {
  readonly latest: StoredKey;
  readonly previous: StoredKey | undefined;
  readonly next: StoredKey | undefined;
  readonly isStale: boolean;
  readonly current: string | undefined;
}

function stateOf({ latest, previous, next, isStale, current }: Keys): State {
  if (!next) return previous ? 'rotated' : 'none';
  if (previous && isSame(latest, next)) return 'served';
  // The label is attached when a rotation ends.
  if (previous && !isSame(latest, previous) && current === latest.version) return 'rotated';
  if (isStale || (previous && !isSame(latest, previous))) return 'changed';
  return previous ? 'kept' : 'staged';
}

/** Whether it is the same pair of keys, in whatever form it is stored. */
export function isSame(one: StoredKey, other: StoredKey): boolean {
  return one.key.publicKey.blob.equals(other.key.publicKey.blob);
}

function openKey(text: string, reference: Reference): PrivateKey {
  try {
    return parseStoredKey({ reference, text });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'KEY_ENCRYPTED') throw error;
    const hint =
      'rotate makes keys without a passphrase, because the store encrypts them: first store this key without its passphrase (ssh-keygen -p -N "" -f FILE), and drop passphrase= where the key is used';
    throw new Failure(error.code, error.message, { hint, cause: error });
  }
}
