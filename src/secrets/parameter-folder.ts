/** The SecureString parameters below one folder of Parameter Store, each written by us: listed with their values, stored, deleted. */
import {
  DeleteParameterCommand,
  GetParametersByPathCommand,
  PutParameterCommand,
  SSMClient,
  type Parameter,
} from '@aws-sdk/client-ssm';
import { readAwsError } from '../aws/failures.ts';
import { Failure } from '../errors.ts';
import { abortable } from '../deadline.ts';
import { isMissing, parameterFailure } from './parameter-failures.ts';
import type { SourceOptions } from './source.ts';

export interface StoredText {
  readonly name: string;
  /** Secret. */
  readonly text: string;
  readonly modified: Date;
}

export interface FolderOptions extends SourceOptions {
  /** A KMS key's id, alias or ARN. Absent: the account's own for Parameter Store. */
  readonly kmsKeyId?: string | undefined;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** What to throw instead of a failure. */
  readonly explain: (failure: Failure) => unknown;
}

/** Parameter Store takes one change of a parameter at a time, and the SDK does not try again. */
const mostTries = 8;

export class ParameterFolder {
  readonly #options: FolderOptions;
  readonly #client: SSMClient;

  constructor(options: FolderOptions) {
    const { connection, credentials, region } = options;
    this.#options = options;
    this.#client = new SSMClient({ region, ...connection, ...(credentials && { credentials }) });
  }

  /** All levels below, the one that was changed last first; of those of one moment the first by name. */
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
      // Another's note, of type String, may stand among them.
      const ours = (page.Parameters ?? []).filter(({ Type }) => Type === 'SecureString');
      found.push(...ours.map(toStoredText));
      NextToken = page.NextToken;
    } while (NextToken);
    return found.sort(
      (one, other) => other.modified.getTime() - one.modified.getTime() || (one.name < other.name ? -1 : 1),
    );
  }

  /** In the place of what has the name. Its tier is the cheaper one that holds it. */
  async put(name: string, text: string): Promise<void> {
    const { kmsKeyId } = this.#options;
    const command = new PutParameterCommand({
      ...{ Name: name, Value: text, Type: 'SecureString', Overwrite: true, Tier: 'Intelligent-Tiering' },
      ...(kmsKeyId !== undefined && { KeyId: kmsKeyId }),
    });
    await this.#about(name, () => this.#inTurn(() => this.#client.send(command, this.#limits)));
  }

  /** Where somebody else has deleted it meanwhile, that is as good. */
  async delete(name: string): Promise<void> {
    const command = new DeleteParameterCommand({ Name: name });
    await this.#about(name, () =>
      this.#inTurn(() => this.#client.send(command, this.#limits)).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      }),
    );
  }

  get #limits(): { abortSignal: AbortSignal } {
    return { abortSignal: this.#options.signal };
  }

  async #inTurn<T>(change: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await change();
      } catch (error) {
        if (readAwsError(error).name !== 'TooManyUpdates' || tries === mostTries) throw error;
        await this.#options.sleep(50 * 2 ** tries);
      }
    }
  }

  async #about<T>(name: string, call: () => Promise<T>): Promise<T> {
    const { region, signal, explain } = this.#options;
    try {
      // The credentials that a call asks for first know no signal.
      return await abortable(call(), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (/LimitExceeded$/.test(readAwsError(error).name)) throw full(error, name);
      throw explain(parameterFailure(error, { kind: 'parameter', text: name, name, selector: '' }, region));
    }
  }
}

/** 10,000 parameters of the standard tier in a region, 100,000 of the advanced one; 100 versions with a label on the oldest. */
function full(error: unknown, name: string): Failure {
  const { name: code, message } = readAwsError(error);
  return new Failure('PROVIDER_FAILED', `Parameter Store has no room for ${name}: ${message || code}`, {
    hint: 'delete parameters, or take labels away from old versions of this one',
    cause: error,
  });
}

function toStoredText({ Name = '', Value = '', LastModifiedDate }: Parameter): StoredText {
  return { name: Name, text: Value, modified: LastModifiedDate ?? new Date(0) };
}
