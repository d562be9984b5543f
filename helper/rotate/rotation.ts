/** What the steps of a rotation work with. */
import type { KeyVersionStore } from '../../src/host/key-versions.ts';
import type { DeployKeys } from '../../src/keys/deploy-key.ts';
import type { PrivateKey } from '../../src/keys/private-key.ts';
import type { Plan } from './plan.ts';
import type { StoredKey } from './progress.ts';
import type { Refusals } from './texts.ts';

export interface Rotation {
  readonly plan: Plan;
  readonly store: KeyVersionStore;
  /** Absent: people register and remove keys by hand. */
  readonly host?: DeployKeys | undefined;
  /** Makes a key like the old one, or of `--type`. */
  readonly makeKey: (old: PrivateKey) => Promise<PrivateKey>;
  /** @param which `the new key`: for the message if the host refuses it */
  readonly prove: (key: StoredKey, which: string) => Promise<void>;
  readonly say: (line: string) => void;
  readonly refusals: Refusals;
  /** `2026-11-29` */
  readonly today: string;
}
