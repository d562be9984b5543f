/** Stores a SecureString in Parameter Store: a new parameter, or a new version of one that exists. */
import {
  AddTagsToResourceCommand,
  GetParameterCommand,
  PutParameterCommand,
  SSMClient,
  type ParameterMetadata,
  type PutParameterCommandInput,
} from '@aws-sdk/client-ssm';
import { attemptsOf } from '../aws/failures.ts';
import { abortable } from '../deadline.ts';
import { Failure } from '../errors.ts';
import type { ParameterReference } from '../keys/reference.ts';
import { checkArnLength, parameterArn, parameterName } from '../keys/storage-name.ts';
import { isDenied } from './access-failures.ts';
import { findMetadata } from './parameter-metadata.ts';
import { untilAllowed } from './too-many-updates.ts';
import { tagList, type NewVersion, type StoredVersion, type WriteOptions } from './new-version.ts';
import { whileStoring } from './while-storing.ts';
import {
  alreadyThere,
  isParameterThere,
  keyNotKnown,
  mayBeOurs,
  notTagged,
  parameterWriteFailure,
} from './write-failures.ts';

type Wanted = NewVersion<ParameterReference>;

export async function writeParameter(wanted: Wanted, options: WriteOptions): Promise<StoredVersion> {
  return await new Writer(wanted, options).write();
}

class Writer {
  readonly #wanted: Wanted;
  readonly #options: WriteOptions;
  readonly #client: SSMClient;
  readonly #name: string;

  constructor(wanted: Wanted, options: WriteOptions) {
    const { connection, credentials, region } = options;
    this.#wanted = wanted;
    this.#options = options;
    this.#client = new SSMClient({ region, ...connection, ...(credentials && { credentials }) });
    this.#name = parameterName(wanted.reference);
  }

  async write(): Promise<StoredVersion> {
    const { reference, overwrite, tags } = this.#wanted;
    const { region } = this.#options;
    const account = await this.#ownAccount();
    checkArnLength(reference, region, account);
    const version = overwrite ? await this.#replace() : await this.#create();
    if (overwrite && tags.length > 0) await this.#tag(version);
    return { arn: parameterArn(this.#name, region, account), version };
  }

  /** Parameter Store stores in the caller's own account only, whatever an ARN says. */
  async #ownAccount(): Promise<string> {
    const { text, location } = this.#wanted.reference;
    const account = await this.#options.account();
    if (!location || location.account === account) return account;
    throw new Failure(
      'INPUT_INVALID',
      `the parameter ${text} belongs to the account ${location.account}, and the AWS credentials to ${account}`,
      { hint: `use credentials of the account ${location.account}: --profile NAME, or --role-arn ARN` },
    );
  }

  async #create(): Promise<string> {
    const { reference, tags } = this.#wanted;
    try {
      return await this.#put({ Overwrite: false, ...(tags.length > 0 && { Tags: tagList(tags) }) });
    } catch (error) {
      if (!isParameterThere(error)) throw this.#failure(error);
      if (attemptsOf(error) > 1) return await this.#ownVersion(error);
      throw alreadyThere(reference, this.#options.region, error);
    }
  }

  /** The answer to the first try was lost, and the second found a parameter: this one, or another program's. */
  async #ownVersion(cause: unknown): Promise<string> {
    const { reference, text } = this.#wanted;
    const { region, signal } = this.#options;
    const command = new GetParameterCommand({ Name: this.#name, WithDecryption: true });
    const answer = await this.#client.send(command, { abortSignal: signal }).catch(() => undefined);
    signal.throwIfAborted();
    if (!answer?.Parameter) throw mayBeOurs(reference, region, cause);
    const { Value, Version } = answer.Parameter;
    if (Value !== text) throw alreadyThere(reference, region, cause);
    return String(Version);
  }

  /** PutParameter does not take the KMS key and the description from the version before, but uses AWS's own key. */
  async #replace(): Promise<string> {
    const { kmsKeyId, description } = this.#wanted;
    const isKnown = kmsKeyId !== undefined && description !== undefined;
    const present = isKnown ? undefined : await this.#present();
    const { KeyId, Description } = present ?? {};
    try {
      return await this.#put({
        Overwrite: true,
        ...(kmsKeyId === undefined && KeyId !== undefined && { KeyId }),
        ...(description === undefined && Description && { Description }),
      });
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async #present(): Promise<ParameterMetadata | undefined> {
    try {
      return await findMetadata([this.#name], (command) =>
        this.#send((limits) => this.#client.send(command, limits)),
      );
    } catch (error) {
      if (!isDenied(error)) throw this.#failure(error);
      const { reference, kmsKeyId } = this.#wanted;
      if (kmsKeyId === undefined) throw keyNotKnown(reference, error);
      this.#options.warn(
        `the description of ${reference.text} is not kept, if it has one: ssm:DescribeParameters is denied; --description gives it one`,
      );
      return undefined;
    }
  }

  /** A retry with Overwrite after a lost answer stores the same key twice: the later version is returned. */
  async #put(more: Partial<PutParameterCommandInput>): Promise<string> {
    const { reference, text: Value, tier, description, kmsKeyId } = this.#wanted;
    const command = new PutParameterCommand({
      ...{ Name: this.#name, Value, Type: 'SecureString', Tier: tier },
      ...(description !== undefined && { Description: description }),
      ...(kmsKeyId !== undefined && { KeyId: kmsKeyId }),
      ...more,
    });
    const put = (): Promise<{ Version?: number | undefined }> =>
      this.#send((limits) => this.#client.send(command, limits));
    const { Version } = await whileStoring(reference, this.#options, () =>
      untilAllowed(put, this.#options.sleep),
    );
    return String(Version ?? '');
  }

  /** PutParameter refuses tags together with Overwrite. */
  async #tag(version: string): Promise<void> {
    const { reference, tags } = this.#wanted;
    const command = new AddTagsToResourceCommand({
      ...{ ResourceType: 'Parameter', ResourceId: this.#name },
      Tags: tagList(tags),
    });
    try {
      await this.#send((limits) => this.#client.send(command, limits));
    } catch (error) {
      throw notTagged(this.#failure(error), reference, version);
    }
  }

  /** The first call for credentials ignores the signal. */
  async #send<T>(call: (limits: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    return await abortable(call({ abortSignal: signal }), signal);
  }

  #failure(error: unknown): Failure {
    const { signal, region } = this.#options;
    signal.throwIfAborted();
    return parameterWriteFailure(error, this.#wanted.reference, region);
  }
}
