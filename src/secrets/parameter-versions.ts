/**
 * The versions of a key in Parameter Store. A bare name reads the latest version, so the new key is staged in a parameter
 * of its own: NAME.next.
 */
import {
  DeleteParameterCommand,
  GetParameterCommand,
  GetParameterHistoryCommand,
  LabelParameterVersionCommand,
  PutParameterCommand,
  SSMClient,
  UnlabelParameterVersionCommand,
  type Parameter,
  type ParameterHistory,
  type UnlabelParameterVersionCommandInput,
} from '@aws-sdk/client-ssm';
import { notFromAws } from '../aws/failures.ts';
import { renewing } from '../aws/renewing.ts';
import { abortable } from '../deadline.ts';
import { Failure } from '../errors.ts';
import type { ParameterReference } from '../keys/reference.ts';
import { parameterName } from '../keys/storage-name.ts';
import {
  labels,
  readAtOneMoment,
  type ChangeOptions,
  type KeyVersion,
  type KeyVersions,
  type KeyVersionStore,
} from './key-versions.ts';
import { isMissing, missing, parameterFailure } from './parameter-failures.ts';
import { untilAllowed } from './too-many-updates.ts';
import { isParameterThere, parameterWriteFailure } from './write-failures.ts';

/** Bytes. A larger value needs the advanced tier. */
const standardLimit = 4096;

interface Put {
  readonly Overwrite: boolean;
  readonly Description?: string;
  readonly AllowedPattern?: string;
  /** Whether the error means: there is such a parameter already. */
  readonly isThere?: (error: unknown) => boolean;
}

interface Sending<T> {
  readonly call: () => Promise<T>;
  /** Whether the error means: it is so already. */
  readonly ignored: (error: unknown) => boolean;
  readonly explain: (error: unknown) => Failure;
}

export function parameterVersions(reference: ParameterReference, options: ChangeOptions): KeyVersionStore {
  return new ParameterVersions(reference, options);
}

class ParameterVersions implements KeyVersionStore {
  readonly staging: string;
  readonly #reference: ParameterReference;
  readonly #options: ChangeOptions;
  readonly #client: SSMClient;
  /** The latest version as the history has it. A new version keeps its KMS key, tier and description. */
  #model: ParameterHistory = {};

  constructor(reference: ParameterReference, options: ChangeOptions) {
    const { connection, credentials, region } = options;
    // PutParameter takes no ARN.
    this.#reference = { ...reference, name: parameterName(reference) };
    this.#options = options;
    this.#client = new SSMClient({ region, ...connection, ...(credentials && { credentials }) });
    this.staging = `${this.#reference.name}.next`;
  }

  async read(): Promise<KeyVersions> {
    return (await readAtOneMoment(() => this.#readOnce(), this.#options.sleep)) ?? this.#foreign();
  }

  /** @returns undefined if the latest version is not the last one of the history */
  async #readOnce(): Promise<KeyVersions | undefined> {
    const { name } = this.#reference;
    const [latest, history, next] = await Promise.all([
      this.#get(name),
      this.#history(),
      this.#get(this.staging, isMissing),
    ]);
    const found = latest ?? this.#foreign();
    this.#check(found);
    const { Version } = found;
    const last = history.find((one) => one.Version === Version);
    if (!last || history.some((one) => (one.Version ?? 0) > (Version ?? 0))) return undefined;
    this.#model = last;
    const holder = (label: string): number | undefined =>
      history.find(({ Labels }) => Labels?.includes(label))?.Version;
    const [before, current] = [holder(labels.previous), holder(labels.current)];
    const previous =
      before === Version ? found : before === undefined ? undefined : await this.#get(`${name}:${before}`);
    // With the label, the key that is replaced is known.
    const isStale = next !== undefined && !previous && (await this.#isReplaced(found, { by: history, next }));
    return {
      ...{ arn: found.ARN ?? '', isStale, latest: toVersion(found) },
      ...(previous && { previous: toVersion(previous) }),
      ...(next && { next: toVersion(next) }),
      ...(current !== undefined && { current: String(current) }),
    };
  }

  /** Whether the key was another one when the next key was staged. */
  async #isReplaced(
    latest: Parameter,
    { by: history, next }: { readonly by: readonly ParameterHistory[]; readonly next: Parameter },
  ): Promise<boolean> {
    const staged = next.LastModifiedDate;
    if (!staged || !latest.LastModifiedDate || latest.LastModifiedDate <= staged) return false;
    const before = history
      .filter(({ LastModifiedDate: stored }) => stored && stored <= staged)
      .sort((one, other) => (one.Version ?? 0) - (other.Version ?? 0))
      .at(-1);
    if (before?.Version === undefined) return true;
    const replaced = await this.#get(`${this.#reference.name}:${before.Version}`);
    // A new key that is given up was the latest one before.
    return replaced?.Value !== latest.Value && replaced?.Value !== next.Value;
  }

  /** Without Overwrite, so that of two processes one stages its key, and both go on with that one. */
  async stage(text: string): Promise<void> {
    const Description = `the next key of ${this.#reference.name}, until its rotation ends`;
    await this.#put(this.staging, text, { Overwrite: false, Description, isThere: isParameterThere });
  }

  async stageLatest({ latest }: KeyVersions): Promise<void> {
    await this.stage(latest.text);
  }

  async unstage(): Promise<void> {
    const command = new DeleteParameterCommand({ Name: this.staging });
    await this.#write(this.staging, () => this.#client.send(command, this.#limits), isMissing);
  }

  async serveNext({ next }: KeyVersions): Promise<string> {
    return await this.#replace(next?.text);
  }

  async servePrevious({ previous }: KeyVersions): Promise<string> {
    return await this.#replace(previous?.text);
  }

  async #replace(text: string | undefined): Promise<string> {
    if (text === undefined) throw new TypeError('there is no version to serve');
    const { Description, AllowedPattern } = this.#model;
    const version = await this.#put(this.#reference.name, text, {
      Overwrite: true,
      ...(Description !== undefined && { Description }),
      ...(AllowedPattern !== undefined && { AllowedPattern }),
    });
    return version ?? this.#foreign();
  }

  async label(label: 'previous' | 'current', version: string): Promise<void> {
    const command = new LabelParameterVersionCommand(this.#labelled(label, version));
    await this.#write(this.#reference.name, () => this.#client.send(command, this.#limits));
  }

  /** A label that is gone already is in InvalidLabels, and no error. */
  async unlabel(label: 'previous' | 'current', versions: KeyVersions): Promise<void> {
    const version = label === 'previous' ? versions.previous?.version : versions.current;
    if (version === undefined) return;
    const command = new UnlabelParameterVersionCommand(this.#labelled(label, version));
    await this.#write(this.#reference.name, () => this.#client.send(command, this.#limits));
  }

  #labelled(label: 'previous' | 'current', version: string): UnlabelParameterVersionCommandInput {
    const { name } = this.#reference;
    return { Name: name, ParameterVersion: Number(version), Labels: [labels[label]] };
  }

  async #get(name: string, ignored?: (error: unknown) => boolean): Promise<Parameter | undefined> {
    const command = new GetParameterCommand({ Name: name, WithDecryption: true });
    const answer = await this.#read(name, () => this.#client.send(command, this.#limits), ignored);
    if (answer && !answer.Parameter) this.#foreign();
    return answer?.Parameter;
  }

  /** Without decryption: only the labels, KMS keys and tiers matter. */
  async #history(): Promise<ParameterHistory[]> {
    const { name } = this.#reference;
    const versions: ParameterHistory[] = [];
    let NextToken: string | undefined;
    do {
      const page = new GetParameterHistoryCommand({ Name: name, ...(NextToken && { NextToken }) });
      const answer = await this.#read(name, () => this.#client.send(page, this.#limits));
      versions.push(...(answer?.Parameters ?? []));
      NextToken = answer?.NextToken;
    } while (NextToken);
    return versions;
  }

  async #put(Name: string, Value: string, { isThere, ...more }: Put): Promise<string | undefined> {
    const { KeyId, Tier } = this.#model;
    const large = Tier === 'Standard' && Buffer.byteLength(Value) > standardLimit;
    const command = new PutParameterCommand({
      ...{ Name, Value, Type: 'SecureString', ...more },
      ...(KeyId !== undefined && { KeyId }),
      ...(Tier !== undefined && { Tier: large ? 'Intelligent-Tiering' : Tier }),
    });
    const answer = await this.#write(Name, () => this.#client.send(command, this.#limits), isThere);
    return answer && String(answer.Version ?? this.#foreign());
  }

  get #limits(): { abortSignal: AbortSignal } {
    return { abortSignal: this.#options.signal };
  }

  /** The parameter has to be encrypted, and of the account that writes: a name in another account is another parameter. */
  #check({ Type, ARN = '' }: Parameter): void {
    const { text, location } = this.#reference;
    if (location && ARN.split(':')[4] !== location.account) {
      throw new Failure('INPUT_INVALID', `${text} belongs to another account than these credentials`, {
        hint: `run it with credentials of the account ${location.account}: only the owner can store a version`,
      });
    }
    if (Type === 'SecureString') return;
    throw new Failure('INPUT_INVALID', `${text} is a plain ${Type ?? 'parameter'}, and no SecureString`, {
      hint: 'store the key in a new parameter of the type SecureString, and rotate that one: the type of a parameter cannot be changed',
    });
  }

  async #read<T>(
    name: string,
    call: () => Promise<T>,
    ignored: (error: unknown) => boolean = () => false,
  ): Promise<T | undefined> {
    return await this.#send({
      call,
      ignored,
      explain: (error) => parameterFailure(error, this.#named(name), this.#options.region),
    });
  }

  async #write<T>(
    name: string,
    call: () => Promise<T>,
    ignored: (error: unknown) => boolean = () => false,
  ): Promise<T | undefined> {
    const { sleep, region } = this.#options;
    return await this.#send({
      ...{ call: () => untilAllowed(call, sleep), ignored },
      explain: (error) =>
        isMissing(error)
          ? missing(this.#named(name), region, error)
          : parameterWriteFailure(error, this.#named(name), region),
    });
  }

  async #send<T>({ call, ignored, explain }: Sending<T>): Promise<T | undefined> {
    const { signal, explain: explainCredentials } = this.#options;
    try {
      // The first call for credentials ignores the signal.
      return await abortable(renewing(this.#options, call), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (ignored(error)) return undefined;
      throw explainCredentials(explain(error));
    }
  }

  #named(name: string): ParameterReference {
    return { ...this.#reference, text: name, name };
  }

  #foreign(): never {
    throw notFromAws({ service: 'ssm', region: this.#options.region, resource: this.#reference.text });
  }
}

function toVersion({ Value = '', Version }: Parameter): KeyVersion {
  return { text: Value, version: String(Version ?? '') };
}
