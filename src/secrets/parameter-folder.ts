/** Lists, stores and deletes the SecureString parameters below one folder of Parameter Store. */
import {
  DeleteParameterCommand,
  GetParametersByPathCommand,
  PutParameterCommand,
  SSMClient,
  type Parameter,
} from '@aws-sdk/client-ssm';
import { notFromAws, readAwsError } from '../aws/failures.ts';
import { Failure } from '../errors.ts';
import { abortable } from '../deadline.ts';
import { isMissing, parameterFailure } from './parameter-failures.ts';
import type { SourceOptions } from './source.ts';
import { untilAllowed } from './too-many-updates.ts';

export interface StoredText {
  readonly name: string;
  /** Secret. */
  readonly text: string;
  readonly modified: Date;
}

export interface FolderOptions extends SourceOptions {
  /** A KMS key's id, alias or ARN. Absent: the account's default key for Parameter Store. */
  readonly kmsKeyId?: string | undefined;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Returns the error to throw instead of a failure. */
  readonly explain: (failure: Failure) => unknown;
}

export class ParameterFolder {
  readonly #options: FolderOptions;
  readonly #client: SSMClient;

  constructor(options: FolderOptions) {
    const { connection, credentials, region } = options;
    this.#options = options;
    this.#client = new SSMClient({ region, ...connection, ...(credentials && { credentials }) });
  }

  /** Lists all levels below the folder, the latest first; parameters of the same time by name. */
  async list(folder: string): Promise<StoredText[]> {
    const found: StoredText[] = [];
    let NextToken: string | undefined;
    do {
      const page = await this.#about(folder, () => {
        const command = new GetParametersByPathCommand({
          ...{ Path: folder, Recursive: true, WithDecryption: true },
          ...(NextToken !== undefined && { NextToken }),
        });
        return this.#client.send(command, this.#limits);
      });
      if (!page.Parameters) throw this.#foreign(folder);
      // The folder may contain String parameters of other programs.
      const ours = page.Parameters.filter(({ Type }) => Type === 'SecureString');
      found.push(...ours.map(toStoredText));
      NextToken = page.NextToken;
    } while (NextToken);
    return found.sort(
      (one, other) => other.modified.getTime() - one.modified.getTime() || (one.name < other.name ? -1 : 1),
    );
  }

  /** Overwrites a parameter of the same name. The tier is the cheapest one that is large enough. */
  async put(name: string, text: string): Promise<void> {
    const { kmsKeyId } = this.#options;
    const command = new PutParameterCommand({
      ...{ Name: name, Value: text, Type: 'SecureString', Overwrite: true, Tier: 'Intelligent-Tiering' },
      ...(kmsKeyId !== undefined && { KeyId: kmsKeyId }),
    });
    const { Version } = await this.#about(name, () =>
      untilAllowed(() => this.#client.send(command, this.#limits), this.#options.sleep),
    );
    if (Version === undefined) throw this.#foreign(name);
  }

  /** Succeeds if another process has already deleted it. */
  async delete(name: string): Promise<void> {
    const command = new DeleteParameterCommand({ Name: name });
    await this.#about(name, () =>
      untilAllowed(() => this.#client.send(command, this.#limits), this.#options.sleep).catch(
        (error: unknown) => {
          if (!isMissing(error)) throw error;
        },
      ),
    );
  }

  /** The answer is not one of Parameter Store. */
  #foreign(resource: string): Failure {
    return notFromAws({ service: 'ssm', region: this.#options.region, resource });
  }

  get #limits(): { abortSignal: AbortSignal } {
    return { abortSignal: this.#options.signal };
  }

  async #about<T>(name: string, call: () => Promise<T>): Promise<T> {
    const { region, signal, explain } = this.#options;
    try {
      // The first call for credentials ignores the signal.
      return await abortable(call(), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (/LimitExceeded$/.test(readAwsError(error).name)) throw full(error, name);
      throw explain(parameterFailure(error, { kind: 'parameter', text: name, name, selector: '' }, region));
    }
  }
}

/**
 * Limits per Region: 10,000 parameters of the standard tier, 100,000 of the advanced tier. Or the oldest of 100
 * versions has a label.
 */
function full(error: unknown, name: string): Failure {
  const { name: code, message } = readAwsError(error);
  return new Failure('PROVIDER_FAILED', `Parameter Store cannot store ${name}: ${message || code}`, {
    hint: 'delete other parameters, or remove labels from old versions of this one',
    cause: error,
  });
}

function toStoredText({ Name = '', Value = '', LastModifiedDate }: Parameter): StoredText {
  return { name: Name, text: Value, modified: LastModifiedDate ?? new Date(0) };
}
