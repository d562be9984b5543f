/** The versions of a key in Secrets Manager. Staging labels say which version is current, next and previous. */
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
  type GetSecretValueCommandOutput,
} from '@aws-sdk/client-secrets-manager';
import { notFromAws, readAwsError } from '../aws/failures.ts';
import { renewing } from '../aws/renewing.ts';
import { abortable } from '../deadline.ts';
import { setMember } from '../keys/json-member.ts';
import { membersOf, pickField } from '../keys/json-secret.ts';
import type { SecretReference } from '../keys/reference.ts';
import {
  labels,
  readAtOneMoment,
  type ChangeOptions,
  type KeyVersion,
  type KeyVersions,
  type KeyVersionStore,
} from './key-versions.ts';
import {
  isNewer,
  isReplaced,
  othersRotated,
  type Labelled,
  type LabelledVersion,
} from './rotated-members.ts';
import { secretFailure } from './secret-failures.ts';
import { secretWriteFailure } from './write-failures.ts';

export function secretVersions(reference: SecretReference, options: ChangeOptions): KeyVersionStore {
  return new SecretVersions(reference, options);
}

type Value = Pick<
  GetSecretValueCommandOutput,
  'ARN' | 'VersionId' | 'VersionStages' | 'SecretString' | 'SecretBinary' | 'CreatedDate'
>;

/** By label. */
interface Found {
  readonly latest: Value;
  readonly previous: Value | undefined;
  readonly next: Value | undefined;
  readonly current: Value | undefined;
}

const served = 'AWSCURRENT';

class SecretVersions implements KeyVersionStore {
  readonly staging: string;
  readonly #reference: SecretReference;
  readonly #options: ChangeOptions;
  readonly #client: SecretsManagerClient;
  /** The value that everybody reads. A new version differs in the key only. */
  #model: Value = {};

  constructor(reference: SecretReference, options: ChangeOptions) {
    const { connection, credentials, region } = options;
    this.#reference = reference;
    this.#options = options;
    this.#client = new SecretsManagerClient({ region, ...connection, ...(credentials && { credentials }) });
    this.staging = `the version "${labels.next}" of ${reference.text}`;
  }

  async read(): Promise<KeyVersions> {
    const { region, sleep } = this.#options;
    const found = await readAtOneMoment(() => this.#readOnce(), sleep);
    if (found) return found;
    throw notFromAws({ service: 'secretsmanager', region, resource: this.#reference.text });
  }

  /** @returns undefined if the label of the latest version moved meanwhile */
  async #readOnce(): Promise<KeyVersions | undefined> {
    // First, because some servers say the same of a missing secret and a missing label.
    const latest = await this.#get(served);
    const [previous, next, current] = await Promise.all([
      this.#find(labels.previous),
      this.#find(labels.next),
      this.#find(labels.current),
    ]);
    if ([previous, next, current].some((one) => one && !agree(one, latest))) return undefined;
    this.#model = latest;
    const versions = await this.#labelled({ latest, previous, next, current });
    const { jsonKey } = this.#reference;
    const found = { arn: latest.ARN ?? '', isStale: false, latest: this.#toVersion(latest) };
    const others = jsonKey === '' ? [] : othersRotated(versions, jsonKey);
    if (others.length > 0) return { ...found, others };
    const own = (text: string): unknown => (jsonKey === '' ? text : membersOf(text)?.get(jsonKey));
    const isOtherRest = next !== undefined && this.#restOf(next) !== this.#restOf(latest);
    return {
      ...found,
      isStale: isOtherRest || isReplaced(versions, own),
      ...(previous && { previous: this.#toVersion(previous) }),
      ...(next && { next: this.#toVersion(next) }),
      ...(current?.VersionId !== undefined && { current: current.VersionId }),
    };
  }

  /** Of two processes, the later one moves the label to its key. */
  async stage(text: string): Promise<void> {
    if (await this.#find(labels.next)) return;
    const { jsonKey, name } = this.#reference;
    const { SecretBinary } = this.#model;
    const value = jsonKey === '' ? text : (setMember(textOf(this.#model), jsonKey, text) ?? text);
    const command = new PutSecretValueCommand({
      ...{ SecretId: name, VersionStages: [labels.next] },
      ...(SecretBinary === undefined ? { SecretString: value } : { SecretBinary: Buffer.from(value) }),
    });
    const refused = (): Promise<boolean> => Promise.resolve(false);
    await this.#send(() => this.#client.send(command, this.#limits), refused, secretWriteFailure);
  }

  async stageLatest({ latest }: KeyVersions): Promise<void> {
    await this.#move(labels.next, { to: latest.version });
  }

  async unstage({ next }: KeyVersions): Promise<void> {
    if (next) await this.#move(labels.next, { from: next.version });
  }

  async serveNext({ next, latest }: KeyVersions): Promise<string> {
    return await this.#serve(next, latest);
  }

  async servePrevious({ previous, latest }: KeyVersions): Promise<string> {
    return await this.#serve(previous, latest);
  }

  async #serve(wanted: KeyVersion | undefined, latest: KeyVersion): Promise<string> {
    if (!wanted) throw new TypeError('there is no version to serve');
    await this.#move(served, { from: latest.version, to: wanted.version });
    return wanted.version;
  }

  async label(label: 'previous' | 'current', version: string, versions: KeyVersions): Promise<void> {
    const holder = label === 'previous' ? versions.previous?.version : versions.current;
    if (holder === version) return;
    await this.#move(labels[label], { ...(holder !== undefined && { from: holder }), to: version });
  }

  async unlabel(label: 'previous' | 'current', versions: KeyVersions): Promise<void> {
    const holder = label === 'previous' ? versions.previous?.version : versions.current;
    if (holder !== undefined) await this.#move(labels[label], { from: holder });
  }

  /** If the answer to the first try was lost, the SDK's next try is refused. Then what counts is where the label is. */
  async #move(stage: string, { from, to }: { readonly from?: string; readonly to?: string }): Promise<void> {
    const command = new UpdateSecretVersionStageCommand({
      ...{ SecretId: this.#reference.name, VersionStage: stage },
      ...(from !== undefined && { RemoveFromVersionId: from }),
      ...(to !== undefined && { MoveToVersionId: to }),
    });
    const isDone = async (error: unknown): Promise<boolean> =>
      /^Invalid(Parameter|Request)Exception$/.test(readAwsError(error).name) &&
      (await this.#find(stage))?.VersionId === to;
    await this.#send(() => this.#client.send(command, this.#limits), isDone, secretWriteFailure);
  }

  async #get(stage: string): Promise<Value> {
    const command = new GetSecretValueCommand({ SecretId: this.#reference.name, VersionStage: stage });
    const answer = await this.#send(() => this.#client.send(command, this.#limits));
    return answer ?? {};
  }

  /** The secret exists. @returns undefined if no version has the label */
  async #find(stage: string): Promise<Value | undefined> {
    const command = new GetSecretValueCommand({ SecretId: this.#reference.name, VersionStage: stage });
    const isAbsent = (error: unknown): Promise<boolean> =>
      Promise.resolve(readAwsError(error).name === 'ResourceNotFoundException');
    return await this.#send(() => this.#client.send(command, this.#limits), isAbsent);
  }

  get #limits(): { abortSignal: AbortSignal } {
    return { abortSignal: this.#options.signal };
  }

  /** @param ignored whether the error means: it is so already */
  async #send<T>(
    call: () => Promise<T>,
    ignored: (error: unknown) => Promise<boolean> = () => Promise.resolve(false),
    failure: typeof secretFailure = secretFailure,
  ): Promise<T | undefined> {
    const { signal, region, explain } = this.#options;
    try {
      // The first call for credentials ignores the signal.
      return await abortable(renewing(this.#options, call), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (await ignored(error)) return undefined;
      throw explain(failure(error, this.#reference, region));
    }
  }

  #toVersion(value: Value): KeyVersion {
    return { text: pickField(textOf(value), this.#reference), version: value.VersionId ?? '' };
  }

  /** Asks for the version before the latest one only where it tells more than the others. */
  async #labelled({ latest, previous, next, current }: Found): Promise<Labelled> {
    const found = {
      ...{ latest: dated(latest), previous: previous && dated(previous) },
      ...{ next: next && dated(next), current: current && dated(current) },
    };
    if (!found.next || previous || !isNewer(found.latest, found.next)) return found;
    const before = await this.#find('AWSPREVIOUS');
    return { ...found, before: before && dated(before) };
  }

  /** The members of a JSON secret beside the key; empty for a secret that is the key. */
  #restOf(value: Value): string {
    const { jsonKey } = this.#reference;
    const members = jsonKey === '' ? undefined : membersOf(textOf(value));
    return JSON.stringify([...(members ?? [])].filter(([name]) => name !== jsonKey).sort());
  }
}

function dated(value: Value): LabelledVersion {
  return { text: textOf(value), created: value.CreatedDate };
}

/** Whether both say the same about which version is served. */
function agree({ VersionId, VersionStages: stages }: Value, latest: Value): boolean {
  return !stages || stages.includes(served) === (VersionId === latest.VersionId);
}

function textOf({ SecretString, SecretBinary }: Value): string {
  return SecretString ?? Buffer.from(SecretBinary ?? []).toString('utf8');
}
