/** Stores values with the real AWS SDK in the local AWS, and shows what is there afterwards. */
import { openConnection } from '../../src/aws/connection.ts';
import { Failure } from '../../src/errors.ts';
import { parseStorageName } from '../../src/keys/storage-name.ts';
import type { NewVersion, StoredVersion, WriteOptions } from '../../src/secrets/new-version.ts';
import { writeVersion } from '../../src/secrets/write.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

export const place = { account: ACCOUNT, region: REGION };
export const everything = allow(['ssm:*', 'secretsmanager:*', 'kms:*'], '*');

export interface WriteStage {
  readonly world: ReadyWorld;
  readonly warnings: readonly string[];
  readonly options: (...policies: readonly PolicyDocument[]) => WriteOptions;
  /** Stores `the key`, by default with every permission. */
  readonly write: (
    name: string,
    more?: Partial<NewVersion>,
    policy?: PolicyDocument,
  ) => Promise<StoredVersion>;
  /** The operations that were called. */
  readonly operations: () => string[];
  readonly parameter: (name: string) => unknown;
  readonly secret: (name: string) => unknown;
  readonly close: () => Promise<void>;
}

export async function openWriteStage(): Promise<WriteStage> {
  const world = await startReadyWorld();
  process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
  const warnings: string[] = [];
  const connection = openConnection({ env: {}, maxAttempts: 3 });
  const options = (...policies: readonly PolicyDocument[]): WriteOptions => {
    const user = { userArn: `arn:aws:iam::${ACCOUNT}:user/writer`, policies: [...policies] };
    return {
      ...{ connection, region: REGION, signal: new AbortController().signal },
      credentials: { sessionToken: '', ...world.aws.iam.createAccessKey(user) },
      account: () => Promise.resolve(ACCOUNT),
      sleep: () => Promise.resolve(),
      warn: (message) => warnings.push(message),
    };
  };
  return {
    ...{ world, warnings, options },
    write: (name, more, policy = everything) => writeVersion(wanted(name, more), options(policy)),
    operations: () => world.aws.calls.map(({ operation }) => operation),
    parameter: (name) => parameterIn(world, name),
    secret: (name) => secretIn(world, name),
    close: async () => {
      connection.requestHandler.destroy();
      await world.stop();
    },
  };
}

export function wanted(name: string, more: Partial<NewVersion> = {}): NewVersion {
  const reference = parseStorageName(name, { secret: false });
  return { reference, text: 'the key', overwrite: false, tier: 'Intelligent-Tiering', tags: [], ...more };
}

/** The Failure that the work rejects with. */
export async function failure(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error('nothing was thrown, or no Failure', { cause: error });
}

function parameterIn({ aws }: ReadyWorld, name: string): unknown {
  const found = aws.parameters.find(place, name);
  const latest = found?.versions.at(-1);
  if (!found || !latest) return undefined;
  const { version, type, tier, keyId, description } = latest;
  const value = aws.parameters.reveal(latest, found.arn);
  return { value, version, type, tier, keyId, description, tags: found.tags };
}

function secretIn({ aws }: ReadyWorld, name: string): unknown {
  const found = aws.secrets.find(place, name);
  const current = found?.versions.find(({ stages }) => stages.has('AWSCURRENT'));
  if (!found || !current) return undefined;
  const { description, tags, keyId } = found;
  const value = aws.secrets.reveal(current, found.arn);
  return { value, versions: found.versions.length, description, tags, keyId };
}
