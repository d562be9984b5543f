/**
 * Reads both stores through a cache on this machine. The cache asks AWS with credentials and in a Region of its own, and
 * may return an older version.
 */
import { Failure } from '../errors.ts';
import { inLanes } from '../in-lanes.ts';
import type { ParameterReference, Reference, SecretReference } from '../keys/reference.ts';
import { askCache, broken, type CacheCaller } from './cache-request.ts';
import { secretsOf } from './outcomes.ts';
import { parameterFailure } from './parameter-failures.ts';
import { secretFailure } from './secret-failures.ts';
import { secretOf } from './secret-value.ts';
import type { Outcome, Secret } from './source.ts';

export interface CacheOptions extends CacheCaller {
  /** For references without one. undefined: that of the cache. */
  readonly region: string | undefined;
  /** Whether the cache has to ask AWS anew. Only secrets can be read so. */
  readonly fresh: boolean;
}

/** @throws the errors of all references in one Failure */
export async function readFromCache(
  references: readonly Reference[],
  options: CacheOptions,
): Promise<Secret[]> {
  try {
    return await secretsOf(
      references,
      async (wanted) => await inLanes(wanted, (one) => readOne(one, options)),
    );
  } catch (error) {
    throw options.troubles.explain(error);
  }
}

async function readOne(reference: Reference, options: CacheOptions): Promise<Outcome> {
  try {
    const outcome = await (reference.kind === 'parameter'
      ? readParameter(reference, options)
      : readSecret(reference, options));
    return outcome instanceof Failure ? outcome : (wrongRegion(outcome, options) ?? outcome);
  } catch (error) {
    options.signal.throwIfAborted();
    return error instanceof Failure ? error : saidByAws(error, reference, options);
  }
}

/** @source AWS Systems Manager User Guide, "Using Parameter Store parameters in AWS Lambda functions" */
async function readParameter(reference: ParameterReference, options: CacheOptions): Promise<Outcome> {
  const selector = reference.selector.slice(1);
  const answer = await askCache(
    '/systemsmanager/parameters/get',
    {
      name: reference.name,
      withDecryption: 'true',
      ...(selector !== '' && { [/^\d+$/.test(selector) ? 'version' : 'label']: selector }),
    },
    options,
  );
  const { Name, Value, Version, ARN, Type } = membersOf(membersOf(answer)['Parameter']);
  if (typeof Value !== 'string' || typeof ARN !== 'string') throw broken(options, 'has no parameter in it');
  const [, , , , , ...named] = ARN.split(':');
  const path = named.join(':').replace(/^parameter\/?/, '');
  const isNamed = ARN === reference.name || Name === reference.name;
  if (!isNamed && path !== reference.name.replace(/^\//, '')) throw other(reference, options);
  return { reference, text: Value, version: String(Version), arn: ARN, encrypted: Type === 'SecureString' };
}

/** @source AWS Secrets Manager User Guide, "Using the AWS Secrets Manager Agent" */
async function readSecret(reference: SecretReference, options: CacheOptions): Promise<Outcome> {
  const { name, versionStage, versionId } = reference;
  const answer = await askCache(
    '/secretsmanager/get',
    {
      secretId: name,
      ...(versionStage && { versionStage }),
      ...(versionId && { versionId }),
      ...(options.fresh && { refreshNow: 'true' }),
    },
    options,
  );
  const { ARN, VersionId, SecretString, SecretBinary } = membersOf(answer);
  if (typeof ARN !== 'string' || typeof (SecretString ?? SecretBinary) !== 'string')
    throw broken(options, 'has no secret in it');
  const [, , , , , , ...named] = ARN.split(':');
  // Of an ARN in its own account, the random characters may be left out.
  const names = [ARN, ARN.replace(randomEnd, ''), named.join(':').replace(randomEnd, '')];
  if (!names.includes(name)) throw other(reference, options);
  return secretOf(reference, {
    ARN,
    VersionId: typeof VersionId === 'string' ? VersionId : '',
    ...(typeof SecretString === 'string'
      ? { SecretString }
      : { SecretBinary: Buffer.from(String(SecretBinary), 'base64') }),
  });
}

/** AWS puts it behind the name of a secret. */
const randomEnd = /-[A-Za-z0-9]{6}$/;

/** A broken cache may mix up its answers, and the key would be offered to a host that must not see it. */
function other({ text }: Reference, options: CacheOptions): Failure {
  return broken(options, `has another key than ${text}`);
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The same name may be another key in the Region of the cache. */
function wrongRegion({ reference, arn }: Secret, { address, region }: CacheOptions): Failure | undefined {
  const wanted = reference.location?.region ?? region;
  const [, , , there] = arn.split(':');
  if (wanted === undefined || wanted === there) return undefined;
  const problem = `${reference.text} is wanted from ${wanted}, and the cache at ${address.origin} reads ${there ?? ''}`;
  return new Failure('INPUT_INVALID', problem, {
    hint: 'run the cache in that Region, or take its setting away for this key: ssm.cache, SSM_SSH_CACHE or --cache',
  });
}

/** Stands for the Region in the commands of hints, where it is unknown. */
const unknown = 'REGION';

function saidByAws(error: unknown, reference: Reference, { address, region }: CacheOptions): Failure {
  const where = reference.location?.region ?? region ?? unknown;
  const { code, message, hint, cause } =
    reference.kind === 'parameter'
      ? parameterFailure(error, reference, where)
      : secretFailure(error, reference, where);
  const what = message.replace(` in ${unknown}`, '');
  return new Failure(code, `${what}, says the cache at ${address.origin}`, { hint, cause });
}
