/** What the steps of a rotation work with. */
import type { DeployKeys } from '../../src/keys/deploy-key.ts';
import type { Plan } from './plan.ts';
import type { Progress, StoredKey, Versions } from './progress.ts';
import type { Refusals, Words } from './texts.ts';

/**
 * Where the key is: in Parameter Store, in Secrets Manager, or in KMS. Every method can be repeated: it succeeds if it was
 * done before. All throw the errors of AWS.
 */
export interface RotationStore<V extends Versions> {
  look(): Promise<Progress<V>>;
  /**
   * Makes a key like the latest one, or of `--type`, where nobody reads it, unless another process has staged its key
   * first.
   */
  stageNew(progress: Progress<V>): Promise<void>;
  /** Stages the key that is the latest version. */
  stageLatest(versions: V): Promise<void>;
  /** Gives up the staged key. */
  unstage(versions: V): Promise<void>;
  /** Makes the staged key the latest version. @returns the version */
  serveNext(versions: V): Promise<string>;
  /** Ends the staging of a key that is the latest version now. */
  settle(version: string, versions: V): Promise<void>;
  /** Makes the key before the rotation the latest version again. */
  servePrevious(versions: V): Promise<string>;
  /** Attaches a label to a version; it leaves the version that had it. */
  label(label: 'previous' | 'current', version: string, versions: V): Promise<void>;
  unlabel(label: 'previous' | 'current', versions: V): Promise<void>;
  /** Gives up a key that was staged, and that another one has replaced. */
  discard(key: StoredKey): Promise<void>;
}

export interface Rotation<V extends Versions = Versions> {
  readonly plan: Plan;
  readonly store: RotationStore<V>;
  /** Absent: people register and remove keys by hand. */
  readonly host?: DeployKeys | undefined;
  /** @param which `the new key`: for the message if the host refuses it */
  readonly prove: (key: StoredKey, which: string) => Promise<void>;
  readonly say: (line: string) => void;
  readonly refusals: Refusals;
  readonly words: Words;
  /** `2026-11-29` */
  readonly today: string;
}
