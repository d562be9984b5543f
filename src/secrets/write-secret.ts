/** Stores a value in Secrets Manager: a new secret, a new version of one, or one member of a JSON secret. */
import { randomUUID } from 'node:crypto';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  TagResourceCommand,
  UpdateSecretCommand,
  type GetSecretValueCommandOutput,
} from '@aws-sdk/client-secrets-manager';
import { attemptsOf, readAwsError } from '../aws/failures.ts';
import { abortable } from '../deadline.ts';
import { Failure } from '../errors.ts';
import { setMember } from '../keys/json-member.ts';
import { membersOf } from '../keys/json-secret.ts';
import type { SecretReference } from '../keys/reference.ts';
import { checkSize } from '../keys/storage-name.ts';
import { secretFailure } from './secret-failures.ts';
import { tagList, type NewVersion, type StoredVersion, type WriteOptions } from './new-version.ts';
import { whileStoring } from './while-storing.ts';
import { alreadyThere, isSecretThere, mayBeOurs, notTagged, secretWriteFailure } from './write-failures.ts';

type Wanted = NewVersion<SecretReference>;

export async function writeSecret(wanted: Wanted, options: WriteOptions): Promise<StoredVersion> {
  return await new Writer(wanted, options).write();
}

interface Answer {
  readonly ARN?: string | undefined;
  readonly VersionId?: string | undefined;
}

class Writer {
  readonly #wanted: Wanted;
  readonly #options: WriteOptions;
  readonly #client: SecretsManagerClient;
  /** Becomes the id of the version. Secrets Manager ignores a repeated call with the same token and value. */
  readonly #token = randomUUID();

  constructor(wanted: Wanted, options: WriteOptions) {
    const { connection, credentials, region } = options;
    this.#wanted = wanted;
    this.#options = options;
    this.#client = new SecretsManagerClient({ region, ...connection, ...(credentials && { credentials }) });
  }

  async write(): Promise<StoredVersion> {
    const { reference, overwrite, text } = this.#wanted;
    if (reference.jsonKey !== '') return await this.#writeMember();
    // An ARN has six random characters of a secret that exists.
    if (!overwrite) {
      if (reference.location) throw alreadyThere(reference, this.#options.region);
      return await this.#create(text);
    }
    try {
      return await this.#replace(text);
    } catch (error) {
      if (reference.location || !(error instanceof Failure) || error.code !== 'KEY_NOT_FOUND') throw error;
      if (!isMissing(error.cause)) throw error;
      return await this.#create(text);
    }
  }

  /** Secrets Manager cannot compare before it stores: of two writers at the same time, one may lose its member. */
  async #writeMember(): Promise<StoredVersion> {
    const { reference, overwrite, text } = this.#wanted;
    const { jsonKey } = reference;
    const present = await this.#read();
    if (!present) return await this.#create(JSON.stringify({ [jsonKey]: text }));
    const value = present.SecretString ?? '';
    const changed = setMember(value, jsonKey, text);
    if (changed === undefined) throw this.#notJson();
    if (membersOf(value)?.has(jsonKey) && !overwrite) throw alreadyThere(reference, this.#options.region);
    if (!overwrite && (membersOf(value)?.size ?? 0) > 0) this.#leaveTheRest();
    checkSize(changed, reference, 'Standard');
    return await this.#replace(changed);
  }

  /** @throws INPUT_INVALID for options that change the whole secret */
  #leaveTheRest(): void {
    const { reference, tags, description, kmsKeyId } = this.#wanted;
    const given = [
      ...(kmsKeyId === undefined ? [] : ['--kms-key-id']),
      ...(description === undefined ? [] : ['--description']),
      ...(tags.length === 0 ? [] : ['--tag']),
    ];
    if (given.length === 0) return;
    const problem = `the secret of ${reference.text} exists, and ${given.join(', ')} would change it for all its members`;
    throw new Failure('INPUT_INVALID', problem, {
      hint: `leave ${given.join(', ')} out to add the member alone, or add --overwrite to change the secret, too`,
    });
  }

  /** @returns undefined if there is no such secret, and one can be created */
  async #read(): Promise<Pick<GetSecretValueCommandOutput, 'SecretString'> | undefined> {
    const { reference } = this.#wanted;
    const { region, signal } = this.#options;
    const command = new GetSecretValueCommand({ SecretId: reference.name });
    try {
      return await this.#send((limits) => this.#client.send(command, limits));
    } catch (error) {
      signal.throwIfAborted();
      // A secret that has no value yet.
      if (isMissing(error) && /secret value/.test(readAwsError(error).message)) return { SecretString: '{}' };
      if (isMissing(error) && !reference.location) return undefined;
      throw secretFailure(error, reference, region);
    }
  }

  async #create(SecretString: string): Promise<StoredVersion> {
    const { reference, tags, description, kmsKeyId } = this.#wanted;
    const command = new CreateSecretCommand({
      ...{ Name: reference.name, SecretString, ClientRequestToken: this.#token },
      ...(description !== undefined && { Description: description }),
      ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }),
      ...(tags.length > 0 && { Tags: tagList(tags) }),
    });
    try {
      return this.#stored(await this.#store((limits) => this.#client.send(command, limits)));
    } catch (error) {
      if (!isSecretThere(error)) throw this.#failure(error);
      if (attemptsOf(error) > 1) return await this.#ownVersion(error);
      throw alreadyThere(reference, this.#options.region, error);
    }
  }

  /** The answer to the first try was lost: the token shows whether the secret is this one. */
  async #ownVersion(cause: unknown): Promise<StoredVersion> {
    const { reference } = this.#wanted;
    const { region, signal } = this.#options;
    const command = new GetSecretValueCommand({ SecretId: reference.name, VersionId: this.#token });
    try {
      return this.#stored(await this.#client.send(command, { abortSignal: signal }));
    } catch (error) {
      signal.throwIfAborted();
      throw isMissing(error) ? alreadyThere(reference, region, cause) : mayBeOurs(reference, region, cause);
    }
  }

  /** PutSecretValue does not change the description and the KMS key; UpdateSecret is a permission of its own. */
  async #replace(SecretString: string): Promise<StoredVersion> {
    const { reference, tags, description, kmsKeyId } = this.#wanted;
    const value = { SecretId: reference.name, SecretString, ClientRequestToken: this.#token };
    const update = new UpdateSecretCommand({
      ...value,
      ...(description !== undefined && { Description: description }),
      ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }),
    });
    const updates = description !== undefined || kmsKeyId !== undefined;
    let stored;
    try {
      const answer = await this.#store((limits): Promise<Answer> =>
        updates
          ? this.#client.send(update, limits)
          : this.#client.send(new PutSecretValueCommand(value), limits),
      );
      stored = this.#stored(answer);
    } catch (error) {
      throw this.#failure(error);
    }
    if (tags.length > 0) await this.#tag(stored.version);
    return stored;
  }

  async #tag(version: string): Promise<void> {
    const { reference, tags } = this.#wanted;
    const command = new TagResourceCommand({ SecretId: reference.name, Tags: tagList(tags) });
    try {
      await this.#send((limits) => this.#client.send(command, limits));
    } catch (error) {
      throw notTagged(this.#failure(error), reference, version);
    }
  }

  #stored({ ARN = '', VersionId = this.#token }: Answer): StoredVersion {
    return { arn: ARN, version: VersionId };
  }

  async #store<T>(call: (limits: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    return await whileStoring(this.#wanted.reference, this.#options, () => this.#send(call));
  }

  /** The first call for credentials ignores the signal. */
  async #send<T>(call: (limits: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    const { signal } = this.#options;
    return await abortable(call({ abortSignal: signal }), signal);
  }

  #failure(error: unknown): Failure {
    const { signal, region } = this.#options;
    signal.throwIfAborted();
    return secretWriteFailure(error, this.#wanted.reference, region);
  }

  #notJson(): Failure {
    const { text, jsonKey } = this.#wanted.reference;
    return new Failure(
      'INPUT_INVALID',
      `the secret ${text} is not a JSON object, so that it has no "${jsonKey}"`,
      {
        hint: `remove ":${jsonKey}" and add --overwrite to replace the whole secret, or write another name`,
      },
    );
  }
}

function isMissing(error: unknown): boolean {
  return readAwsError(error).name === 'ResourceNotFoundException';
}
