/** Reads Parameter Store with as few calls as the role's permissions allow. */
import { GetParameterCommand, GetParametersCommand, SSMClient, type Parameter } from '@aws-sdk/client-ssm';
import { areTexts } from '../aws/answers.ts';
import { notFromAws } from '../aws/failures.ts';
import { retries } from '../aws/retries.ts';
import type { Failure } from '../errors.ts';
import type { ParameterReference } from '../keys/reference.ts';
import { isDenied, isKmsTrouble } from './access-failures.ts';
import { isMissing, missing, parameterFailure, versionMissing } from './parameter-failures.ts';
import { batchSizes } from './batch-sizes.ts';
import type { Outcome, Secret, SecretSource, SourceOptions } from './source.ts';

export function parameterStore(options: SourceOptions): SecretSource<ParameterReference> {
  const reader = new Reader(options);
  return {
    async read(references) {
      return await reader.readAll(references);
    },
  };
}

class Reader {
  readonly #region: string;
  readonly #client: SSMClient;
  readonly #abortSignal: AbortSignal;

  constructor({ connection, credentials, region, signal }: SourceOptions) {
    this.#region = region;
    this.#client = new SSMClient({
      ...{ region, ...connection, ...retries(connection) },
      ...(credentials && { credentials }),
    });
    this.#abortSignal = signal;
  }

  async readAll(references: readonly ParameterReference[]): Promise<Outcome[]> {
    return (await Promise.all(batches(references).map((batch) => this.#readBatch(batch)))).flat();
  }

  /**
   * GetParameters has its own permission, and is denied as a whole if one name is denied. Then each name is read
   * separately.
   */
  async #readBatch(batch: readonly ParameterReference[]): Promise<Outcome[]> {
    const [only] = batch;
    if (batch.length === 1 && only) return [await this.#readOne(only)];
    try {
      const parameters = await this.#getParameters(batch);
      return await Promise.all(batch.map((reference) => this.#pick(reference, parameters)));
    } catch (error) {
      const onePerhaps = isDenied(error) || isKmsTrouble(error);
      if (!onePerhaps) return batch.map((reference) => this.#fail(error, reference));
      return await Promise.all(batch.map((reference) => this.#readOne(reference)));
    }
  }

  async #readOne(reference: ParameterReference): Promise<Outcome> {
    try {
      const command = new GetParameterCommand({ Name: askedName(reference), WithDecryption: true });
      const { Parameter } = await this.#client.send(command, { abortSignal: this.#abortSignal });
      // AWS answers an error for a missing parameter, so a missing value is a foreign answer.
      return Parameter
        ? this.#toSecret(reference, Parameter)
        : this.#fail(this.#foreign(reference), reference);
    } catch (error) {
      if (isMissing(error)) return await this.#missing(reference);
      if (isDenied(error) && !isKmsTrouble(error))
        return await this.#readByTheOtherPermission(reference, error);
      return this.#fail(error, reference);
    }
  }

  /** ECS's execution roles often grant only ssm:GetParameters. */
  async #readByTheOtherPermission(reference: ParameterReference, denied: unknown): Promise<Outcome> {
    try {
      const [parameter] = await this.#getParameters([reference]);
      return parameter ? this.#toSecret(reference, parameter) : await this.#missing(reference);
    } catch (error) {
      return this.#fail(isDenied(error) && !isKmsTrouble(error) ? denied : error, reference);
    }
  }

  async #getParameters(references: readonly ParameterReference[]): Promise<Parameter[]> {
    const command = new GetParametersCommand({ Names: references.map(askedName), WithDecryption: true });
    const { Parameters, InvalidParameters } = await this.#client.send(command, {
      abortSignal: this.#abortSignal,
    });
    const [first] = references;
    if (first && !Parameters?.length && !InvalidParameters?.length) throw this.#foreign(first);
    return Parameters ?? [];
  }

  #toSecret(reference: ParameterReference, parameter: Parameter): Secret {
    const { Value, ARN, Type, Version } = parameter;
    const isVersion = Version === undefined || typeof Version === 'number';
    if (!isVersion || !areTexts([Value, ARN, Type])) throw this.#foreign(reference);
    return toSecret(reference, parameter);
  }

  #foreign({ text: resource }: ParameterReference): Failure {
    return notFromAws({ service: 'ssm', region: this.#region, resource });
  }

  async #pick(reference: ParameterReference, parameters: readonly Parameter[]): Promise<Outcome> {
    const answer = parameters.find(({ Name, ARN }) => Name === reference.name || ARN === reference.name);
    if (answer) return this.#toSecret(reference, answer);
    return await this.#missing(reference);
  }

  /** GetParameters does not tell a missing name from a missing version, nor GetParameter from a missing label. */
  async #missing(reference: ParameterReference): Promise<Failure> {
    const latest = new GetParameterCommand({ Name: reference.name, WithDecryption: false });
    const there =
      reference.selector !== '' &&
      (await this.#client.send(latest, { abortSignal: this.#abortSignal }).catch(() => undefined)) !==
        undefined;
    return (there ? versionMissing : missing)(reference, this.#region);
  }

  #fail(error: unknown, reference: ParameterReference): Failure {
    this.#abortSignal.throwIfAborted();
    return parameterFailure(error, reference, this.#region);
  }
}

/** Each batch has a name only once, whatever its selector, so that answers can be matched by name. */
function batches(references: readonly ParameterReference[]): ParameterReference[][] {
  const filled: Map<string, ParameterReference>[] = [];
  for (const reference of references) {
    const name = reference.name.replace(/^arn:.*:parameter\/?/, '').replace(/^\//, '');
    const batch = filled.find((candidate) => candidate.size < batchSizes.parameter && !candidate.has(name));
    if (batch) batch.set(name, reference);
    else filled.push(new Map([[name, reference]]));
  }
  return filled.map((batch) => [...batch.values()]);
}

function askedName({ name, selector }: ParameterReference): string {
  return name + selector;
}

function toSecret(reference: ParameterReference, { Value = '', Version, ARN = '', Type }: Parameter): Secret {
  return {
    reference,
    text: Value,
    version: String(Version ?? ''),
    arn: ARN,
    encrypted: Type === 'SecureString',
  };
}
