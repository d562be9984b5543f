/** Systems Manager Parameter Store: the fewest calls that the role's permissions allow. */
import { GetParameterCommand, GetParametersCommand, SSMClient, type Parameter } from '@aws-sdk/client-ssm';
import type { Connection } from '../aws/connection.ts';
import type { Credentials } from '../aws/session.ts';
import { Failure } from '../errors.ts';
import type { Reference } from '../keys/reference.ts';
import {
  isDenied,
  isKmsTrouble,
  isMissing,
  missing,
  parameterFailure,
  versionMissing,
} from './parameter-failures.ts';
import type { Secret, SecretSource } from './source.ts';

/** Names in one GetParameters. */
const batchSize = 10;

export interface ParameterStoreOptions {
  readonly connection: Connection;
  /** Absent: the AWS SDK's default chain. */
  readonly credentials?: Credentials;
  /** Where a reference without an ARN is. */
  readonly region: string;
  readonly signal: AbortSignal;
}

export function parameterStore(options: ParameterStoreOptions): SecretSource {
  return {
    async read(references) {
      const wanted = [...new Map(references.map((reference) => [askedName(reference), reference])).values()];
      const regionOf = ({ location }: Reference): string => location?.region ?? options.region;
      const reads = [...new Set(wanted.map(regionOf))].map((region) => {
        const group = wanted.filter((reference) => regionOf(reference) === region);
        return new RegionReader({ ...options, region }).readAll(group);
      });
      const outcomes = allOf((await Promise.all(reads)).flat());
      const secrets = new Map(outcomes.map((secret) => [askedName(secret.reference), secret]));
      return references.map((reference) => ({ ...found(secrets.get(askedName(reference))), reference }));
    },
  };
}

class RegionReader {
  readonly #region: string;
  readonly #client: SSMClient;
  readonly #abortSignal: AbortSignal;

  constructor({ connection, credentials, region, signal }: ParameterStoreOptions) {
    this.#region = region;
    this.#client = new SSMClient({ region, ...connection, ...(credentials && { credentials }) });
    this.#abortSignal = signal;
  }

  async readAll(references: readonly Reference[]): Promise<Outcome[]> {
    return (await Promise.all(batches(references).map((batch) => this.#readBatch(batch)))).flat();
  }

  /** GetParameters is denied as a whole for one name in it, and is a permission of its own: then each name by itself. */
  async #readBatch(batch: readonly Reference[]): Promise<Outcome[]> {
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

  async #readOne(reference: Reference): Promise<Outcome> {
    try {
      const command = new GetParameterCommand({ Name: askedName(reference), WithDecryption: true });
      const { Parameter } = await this.#client.send(command, { abortSignal: this.#abortSignal });
      return Parameter ? toSecret(reference, Parameter) : await this.#missing(reference);
    } catch (error) {
      if (isMissing(error)) return await this.#missing(reference);
      if (isDenied(error) && !isKmsTrouble(error))
        return await this.#readByTheOtherPermission(reference, error);
      return this.#fail(error, reference);
    }
  }

  /** ssm:GetParameters alone is what ECS's execution roles grant. */
  async #readByTheOtherPermission(reference: Reference, denied: unknown): Promise<Outcome> {
    try {
      const [parameter] = await this.#getParameters([reference]);
      return parameter ? toSecret(reference, parameter) : await this.#missing(reference);
    } catch (error) {
      return this.#fail(isDenied(error) && !isKmsTrouble(error) ? denied : error, reference);
    }
  }

  async #getParameters(references: readonly Reference[]): Promise<Parameter[]> {
    const command = new GetParametersCommand({ Names: references.map(askedName), WithDecryption: true });
    const { Parameters = [] } = await this.#client.send(command, { abortSignal: this.#abortSignal });
    return Parameters;
  }

  async #pick(reference: Reference, parameters: readonly Parameter[]): Promise<Outcome> {
    const answer = parameters.find(({ Name, ARN }) => Name === reference.name || ARN === reference.name);
    if (answer) return toSecret(reference, answer);
    return await this.#missing(reference);
  }

  /** A missing name and a missing version look the same in GetParameters' answer, and a missing label in GetParameter's. */
  async #missing(reference: Reference): Promise<Failure> {
    const latest = new GetParameterCommand({ Name: reference.name, WithDecryption: false });
    const there =
      reference.selector !== '' &&
      (await this.#client.send(latest, { abortSignal: this.#abortSignal }).catch(() => undefined)) !==
        undefined;
    return (there ? versionMissing : missing)(reference, this.#region);
  }

  #fail(error: unknown, reference: Reference): Failure {
    this.#abortSignal.throwIfAborted();
    return parameterFailure(error, reference, this.#region);
  }
}

type Outcome = Secret | Failure;

/** Every key has to be there: all that is wrong is said at once. */
function allOf(outcomes: readonly Outcome[]): Secret[] {
  const failures = outcomes.filter((outcome) => outcome instanceof Failure);
  const [first] = failures;
  if (!first) return outcomes.filter((outcome): outcome is Secret => !(outcome instanceof Failure));
  if (failures.length === 1) throw first;
  const unique = (lines: readonly string[]): string => [...new Set(lines)].join('; ');
  throw new Failure(first.code, unique(failures.map(({ message }) => message)), {
    hint: unique(failures.map(({ hint }) => hint)),
    cause: new AggregateError(failures),
  });
}

/** No name twice in a batch, whatever its selector: answers then need no matching but by name. */
function batches(references: readonly Reference[]): Reference[][] {
  const filled: Map<string, Reference>[] = [];
  for (const reference of references) {
    const name = reference.name.replace(/^arn:.*:parameter\/?/, '').replace(/^\//, '');
    const batch = filled.find((candidate) => candidate.size < batchSize && !candidate.has(name));
    if (batch) batch.set(name, reference);
    else filled.push(new Map([[name, reference]]));
  }
  return filled.map((batch) => [...batch.values()]);
}

function askedName({ name, selector }: Reference): string {
  return name + selector;
}

function toSecret(reference: Reference, { Value = '', Version, ARN = '', Type }: Parameter): Secret {
  return {
    reference,
    text: Value,
    version: String(Version ?? ''),
    arn: ARN,
    encrypted: Type === 'SecureString',
  };
}

function found(secret: Secret | undefined): Secret {
  if (!secret) throw new TypeError('a reference was answered by no secret');
  return secret;
}
