/** A stored key with its versions, as its rotation sees it: the same in both stores. */
import type { Renewable } from '../aws/renewing.ts';
import type { SourceOptions } from './source.ts';

/** The labels that a rotation uses. Secrets Manager calls them staging labels. */
export const labels = { previous: 'previous', current: 'current', next: 'next' } as const;

export interface KeyVersion {
  /** The private key. Secret. */
  readonly text: string;
  /** A parameter's number, or a secret's version id. */
  readonly version: string;
}

/** What AWS has at one moment. All that a rotation knows is here: it writes nothing on this machine. */
export interface KeyVersions {
  readonly arn: string;
  /** What everybody reads who reads the bare name. */
  readonly latest: KeyVersion;
  /** The version with the label `previous`: the key before the rotation. */
  readonly previous?: KeyVersion;
  /** The new key, where nobody reads it yet. */
  readonly next?: KeyVersion;
  /** The version with the label `current`. */
  readonly current?: string;
  /**
   * Whether another key was stored after the new key was staged, or the rest of a JSON secret was changed. Serving the new
   * key would undo that.
   */
  readonly isStale: boolean;
  /** The members of a JSON secret whose rotation has the labels, and not this key's. */
  readonly others?: readonly string[];
}

/**
 * Every method can be repeated: it succeeds if it was done before. All throw the errors of reading and writing, among them
 * KEY_NOT_FOUND, KEY_ACCESS_DENIED, KMS_ACCESS_DENIED, PROVIDER_FAILED.
 */
export interface KeyVersionStore {
  /** The place of the new key, for messages: `/ci/deploy-key.next`. */
  readonly staging: string;
  read(): Promise<KeyVersions>;
  /** Stores the new key, unless there is one already: another process may have staged its key first. */
  stage(text: string): Promise<void>;
  /** Stages the key that is the latest version. */
  stageLatest(versions: KeyVersions): Promise<void>;
  unstage(versions: KeyVersions): Promise<void>;
  /** Makes the staged key the latest version. @returns the version's number or id */
  serveNext(versions: KeyVersions): Promise<string>;
  /** Makes the key before the rotation the latest version again. */
  servePrevious(versions: KeyVersions): Promise<string>;
  /** Attaches a label to a version; it leaves the version that had it. */
  label(label: 'previous' | 'current', version: string, versions: KeyVersions): Promise<void>;
  unlabel(label: 'previous' | 'current', versions: KeyVersions): Promise<void>;
}

export interface ChangeOptions extends SourceOptions, Renewable {
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Returns the error to throw instead of a failure. */
  readonly explain: (error: unknown) => unknown;
}

/** Reads of all versions until they are of one moment, and milliseconds between them. */
const [mostReads, pause] = [5, 100];

/**
 * The versions are read by several calls, and between two of them another process may change the key.
 *
 * @param read returns undefined if its answers contradict each other
 * @returns undefined if they do so each time
 */
export async function readAtOneMoment(
  read: () => Promise<KeyVersions | undefined>,
  sleep: ChangeOptions['sleep'],
): Promise<KeyVersions | undefined> {
  let before: KeyVersions | undefined;
  for (let reads = 1; reads <= mostReads; reads++) {
    if (reads > 1) await sleep(pause);
    const found = await read();
    if (found && (!mayBeLate(found) || (before && mayBeLate(before)))) return found;
    before = found;
  }
  return before;
}

/** The staged key may be gone because it was served after the latest version was read. The next reading shows it. */
function mayBeLate({ latest, previous, next }: KeyVersions): boolean {
  return next === undefined && previous?.version === latest.version;
}
