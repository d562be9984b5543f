/** A key in KMS, as its rotation works with it. */
import type { KmsKeyRotation, Named, NamedKey, Retired } from '../../src/host/kms-rotation.ts';
import { parseKeyKind, type KeyType } from '../../src/keys/generate-key.ts';
import type { KmsReference } from '../../src/keys/key-reference.ts';
import { pendingDays } from '../../src/keys/rotation-aliases.ts';
import type { SshKeySpec } from '../../src/kms/key-material.ts';
import { specFor } from '../store/kms-spec.ts';
import { idOf, kmsProgress, type KeyAliases } from './kms-progress.ts';
import type { RotationStore } from './rotation.ts';
import type { Refusals } from './texts.ts';

export interface KmsOptions {
  readonly reference: KmsReference;
  /** `--type` */
  readonly type: KeyType | undefined;
  readonly refusals: Refusals;
  readonly say: (line: string) => void;
}

export function kmsStore(
  keys: KmsKeyRotation,
  { reference, type, refusals, say }: KmsOptions,
): RotationStore<KeyAliases> {
  const tell = (key: Named, retired: Retired | undefined): void => {
    if (retired && key !== undefined && key !== 'gone') say(fateOf(key, retired));
  };
  return {
    look: async () => kmsProgress(await keys.look(), reference),
    stageNew: ({ versions }) => keys.stage(versions, (old) => specOfNew(old, type)),
    // It keeps its alias until the rotation ends.
    stageLatest: () => Promise.resolve(),
    unstage: async (versions) => {
      tell(versions.next, await keys.unstage(versions));
    },
    serveNext: ({ next }) => serve(keys, next),
    settle: () => Promise.resolve(),
    servePrevious: ({ previous }) => serve(keys, previous),
    label: async (label, _, versions) => {
      // The alias of the key itself says which one is current.
      if (label === 'previous' && !(await keys.keepOld(versions))) throw refusals.changed('abort');
    },
    unlabel: async (label, versions) => {
      if (label === 'previous') tell(versions.previous, await keys.forgetOld(versions));
    },
    discard: async ({ version, key }) => {
      const { latest } = await keys.read();
      const given = { arn: latest.arn.replace(/[^/]*$/, version), publicKey: key.publicKey };
      tell(given, await keys.retire(given));
    },
  };
}

async function serve(keys: KmsKeyRotation, key: Named): Promise<string> {
  if (key === undefined || key === 'gone') throw new TypeError('there is no key to serve');
  await keys.serve(key);
  return idOf(key);
}

/** The old key's type and size, but RSA has at least 3,072 bits; or `--type` with its usual size. */
export function specOfNew(old: string, type: KeyType | undefined): SshKeySpec {
  const oldType = old.startsWith('RSA_') ? 'rsa' : old.startsWith('ECC_NIST_P') ? 'ecdsa' : 'ed25519';
  if (type !== undefined && type !== oldType) return specFor(parseKeyKind(type));
  return old === 'RSA_2048' ? 'RSA_3072' : (old as SshKeySpec);
}

function fateOf({ arn }: NamedKey, retired: Retired): string {
  if (retired.kind === 'kept') return `the KMS key ${arn} stays: it has the alias ${retired.alias}, too`;
  const region = arn.split(':')[3] ?? '';
  if (retired.kind === 'unknown')
    return `the KMS key ${arn} stays, because no rotation has made the key that is served now; if nobody uses it: aws kms schedule-key-deletion --region ${region} --key-id ${arn}`;
  return `the KMS key ${arn} does not sign any more, and is deleted in ${pendingDays} days; until then, aws kms cancel-key-deletion --region ${region} --key-id ${arn} stops that`;
}
