/** A key in Parameter Store or Secrets Manager, as its rotation works with it. */
import type { KeyVersions, KeyVersionStore } from '../../src/host/key-versions.ts';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';
import type { PrivateKey } from '../../src/keys/private-key.ts';
import type { Reference } from '../../src/keys/reference.ts';
import { progressOf } from './progress.ts';
import type { RotationStore } from './rotation.ts';
import type { Refusals } from './texts.ts';

export interface StoredOptions {
  readonly reference: Reference;
  /** Makes a key like the old one, or of `--type`. */
  readonly makeKey: (old: PrivateKey) => Promise<PrivateKey>;
  readonly refusals: Pick<Refusals, 'others'>;
}

export function storedStore(
  store: KeyVersionStore,
  { reference, makeKey, refusals }: StoredOptions,
): RotationStore<KeyVersions> {
  const look: RotationStore<KeyVersions>['look'] = async () => {
    const versions = await store.read();
    if (versions.others) throw refusals.others(versions.others);
    return progressOf(versions, reference, store.staging);
  };
  return {
    look,
    stageNew: async ({ latest }) => {
      await store.stage(writeOpensshKey(await makeKey(latest.key as PrivateKey)));
    },
    stageLatest: (versions) => store.stageLatest(versions),
    unstage: (versions) => store.unstage(versions),
    serveNext: (versions) => store.serveNext(versions),
    settle: async (version, versions) => {
      await store.label('current', version, versions);
      await store.unstage(versions);
    },
    servePrevious: (versions) => store.servePrevious(versions),
    label: (label, version, versions) => store.label(label, version, versions),
    unlabel: (label, versions) => store.unlabel(label, versions),
    // The key that has replaced it has its place.
    discard: () => Promise.resolve(),
  };
}
