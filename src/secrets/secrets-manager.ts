/** Reads Secrets Manager: each secret once, with as few calls as the role's permissions allow. */
import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
  type APIErrorType,
  type BatchGetSecretValueCommandOutput,
} from '@aws-sdk/client-secrets-manager';
import { areTexts } from '../aws/answers.ts';
import { notFromAws } from '../aws/failures.ts';
import { retries } from '../aws/retries.ts';
import type { Failure } from '../errors.ts';
import type { SecretReference } from '../keys/reference.ts';
import { isVague, mayConcernOne, secretFailure, versionMissing } from './secret-failures.ts';
import { batchSizes } from './batch-sizes.ts';
import { secretOf, type SecretValue } from './secret-value.ts';
import type { Outcome, SecretSource, SourceOptions } from './source.ts';

export function secretsManager(options: SourceOptions): SecretSource<SecretReference> {
  const reader = new Reader(options);
  return {
    async read(references) {
      return await reader.readAll(references);
    },
  };
}

/** References to parts of the same secret. The secret is read once. */
type Sharing = readonly [SecretReference, ...SecretReference[]];

class Reader {
  readonly #region: string;
  readonly #client: SecretsManagerClient;
  readonly #abortSignal: AbortSignal;

  constructor({ connection, credentials, region, signal }: SourceOptions) {
    this.#region = region;
    this.#client = new SecretsManagerClient({
      ...{ region, ...connection, ...retries(connection) },
      ...(credentials && { credentials }),
    });
    this.#abortSignal = signal;
  }

  /** A batch only returns current values. */
  async readAll(references: readonly SecretReference[]): Promise<Outcome[]> {
    const values = bySharing(references);
    const current = values.filter(([{ versionStage, versionId }]) => versionStage + versionId === '');
    const others = values.filter((value) => !current.includes(value));
    const reads = [
      ...inBatches(current).map((batch) => this.#readBatch(batch)),
      ...others.map((sharing) => this.#readOne(sharing)),
    ];
    return (await Promise.all(reads)).flat();
  }

  /** secretsmanager:BatchGetSecretValue is a separate permission, needed in addition to GetSecretValue for each secret. */
  async #readBatch(batch: readonly Sharing[]): Promise<Outcome[]> {
    const [only] = batch;
    if (batch.length === 1 && only) return await this.#readOne(only);
    try {
      const answer = await this.#getSecretValues(batch.map(([{ name }]) => name));
      return (await Promise.all(batch.map((sharing) => this.#pick(sharing, answer)))).flat();
    } catch (error) {
      if (!mayConcernOne(error)) return batch.flatMap((sharing) => this.#fail(error, sharing));
      return (await Promise.all(batch.map((sharing) => this.#readOne(sharing)))).flat();
    }
  }

  async #readOne(sharing: Sharing): Promise<Outcome[]> {
    const [first] = sharing;
    const { name, versionStage, versionId } = first;
    const command = new GetSecretValueCommand({
      SecretId: name,
      ...(versionStage && { VersionStage: versionStage }),
      ...(versionId && { VersionId: versionId }),
    });
    try {
      const value = await this.#client.send(command, { abortSignal: this.#abortSignal });
      if (value.ARN === undefined && value.Name === undefined) throw this.#foreign(first);
      return this.#toSecrets(sharing, value);
    } catch (error) {
      if (isVague(error, first) && (await this.#isThere(name))) {
        return sharing.map((reference) => versionMissing(error, reference, this.#region));
      }
      return this.#fail(error, sharing);
    }
  }

  async #isThere(name: string): Promise<boolean> {
    const command = new GetSecretValueCommand({ SecretId: name });
    const answer = this.#client.send(command, { abortSignal: this.#abortSignal });
    return await answer.then(
      () => true,
      () => false,
    );
  }

  async #getSecretValues(SecretIdList: string[]): Promise<BatchGetSecretValueCommandOutput> {
    const command = new BatchGetSecretValueCommand({ SecretIdList });
    const answer = await this.#client.send(command, { abortSignal: this.#abortSignal });
    if (!answer.SecretValues && !answer.Errors) throw this.#foreign({ text: SecretIdList.join(', ') });
    return answer;
  }

  #foreign({ text: resource }: Pick<SecretReference, 'text'>): Failure {
    return notFromAws({ service: 'secretsmanager', region: this.#region, resource });
  }

  async #pick(sharing: Sharing, answer: BatchGetSecretValueCommandOutput): Promise<Outcome[]> {
    const [{ name }] = sharing;
    const value = answer.SecretValues?.find((entry) => isOf(entry, name));
    if (value) return this.#toSecrets(sharing, value);
    const error = answer.Errors?.find(({ SecretId }) => SecretId === name);
    // The API may return some secrets on a next page. That is rare, so they are read one by one.
    return error ? this.#fail(asThrown(error), sharing) : await this.#readOne(sharing);
  }

  #toSecrets(sharing: Sharing, value: SecretValue): Outcome[] {
    if (!areTexts([value.ARN, value.VersionId, value.SecretString])) throw this.#foreign(sharing[0]);
    return sharing.map((reference) => secretOf(reference, value));
  }

  #fail(error: unknown, sharing: Sharing): Outcome[] {
    this.#abortSignal.throwIfAborted();
    return sharing.map((reference) => secretFailure(error, reference, this.#region));
  }
}

function bySharing(references: readonly SecretReference[]): Sharing[] {
  const values = new Map<string, Sharing>();
  for (const reference of references) {
    const { name, versionStage, versionId } = reference;
    const asked = `${name} ${versionStage} ${versionId}`;
    const others = values.get(asked);
    values.set(asked, others ? [...others, reference] : [reference]);
  }
  return [...values.values()];
}

/** Each batch has a name only once, so that answers can be matched by name: another account may have it, too. */
function inBatches(values: readonly Sharing[]): Sharing[][] {
  const filled: Map<string, Sharing>[] = [];
  for (const sharing of values) {
    const name = sharing[0].name.replace(/^arn:.*:secret:/, '').replace(/-[A-Za-z0-9]{6}$/, '');
    const batch = filled.find((candidate) => candidate.size < batchSizes.secret && !candidate.has(name));
    if (batch) batch.set(name, sharing);
    else filled.push(new Map([[name, sharing]]));
  }
  return filled.map((batch) => [...batch.values()]);
}

/** The reference may be an ARN without its six random characters. */
function isOf({ Name, ARN }: SecretValue, asked: string): boolean {
  return Name === asked || ARN === asked || ARN?.replace(/-[A-Za-z0-9]{6}$/, '') === asked;
}

/** A batch's entry as the error that GetSecretValue would throw. */
function asThrown({ ErrorCode = '', Message = '' }: APIErrorType): Error {
  return Object.assign(new Error(Message), { name: ErrorCode });
}
