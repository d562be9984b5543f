/** The AWS half of loading keys: who we are, then what is stored. All that the AWS SDK weighs hangs on this file. */
import { setTimeout } from 'node:timers/promises';
import { ignoresProxy, openConnection } from '../aws/connection.ts';
import { credentialsHint } from '../aws/credentials-hint.ts';
import { instanceRegion } from '../aws/region.ts';
import { openSessions, type Caller, type Session } from '../aws/session.ts';
import { Failure } from '../errors.ts';
import type { Reference } from '../keys/reference.ts';
import { readReferences, storesOf } from '../secrets/read.ts';
import type { Secret } from '../secrets/source.ts';
import type { Env, Inputs } from './inputs.ts';
import type { Workflow } from './workflow.ts';

export interface ReadOptions {
  readonly env: Env;
  readonly signal: AbortSignal;
  readonly workflow: Workflow;
}

/** The keys as they are stored, in the order of the inputs. */
export async function readSecrets(inputs: Inputs, { env, signal, workflow }: ReadOptions): Promise<Secret[]> {
  const references = inputs.keys.map(({ reference }) => reference);
  if (references.length === 0) return [];
  const region = inputs.region ?? (await otherRegion(references));
  const connection = openConnection({ env, maxAttempts: inputs.maxAttempts });
  const caller: Caller = {
    env,
    connection,
    region,
    signal,
    sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }),
    mask: (secret) => {
      workflow.mask(secret);
    },
    say: (line) => {
      workflow.info(line);
    },
  };
  if (ignoresProxy(env, process.versions.node)) {
    workflow.warn(
      `the proxy is not used: this runner's Node ${process.versions.node} knows no HTTPS_PROXY, 24.5 does`,
    );
  }
  const sessions = await openSessions(references, inputs.role, caller);
  workflow.info(
    `reading ${references.length === 1 ? 'a key' : `${references.length} keys`} from ${storesOf(references)}`,
  );
  try {
    const secrets = await Promise.all(
      sessions.map((session) => read(session, { connection, region, signal })),
    );
    return inOrder(references, secrets.flat());
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'CREDENTIALS_MISSING' || inputs.role) throw error;
    throw new Failure(error.code, error.message, { hint: credentialsHint(env), cause: error });
  }
}

/** @throws REGION_MISSING */
async function otherRegion(references: readonly Reference[]): Promise<string> {
  const [first] = references;
  const named = references.every(({ location }) => location) && first?.location?.region;
  const region = named || (await instanceRegion());
  if (region) return region;
  throw new Failure('REGION_MISSING', 'no AWS region is known for the keys', {
    hint: 'set the input aws-region, or AWS_REGION',
  });
}

async function read(
  { references, credentials }: Session,
  place: Pick<Caller, 'connection' | 'region' | 'signal'>,
): Promise<Secret[]> {
  return await readReferences(references, { ...place, ...(credentials && { credentials }) });
}

function inOrder(references: readonly Reference[], secrets: readonly Secret[]): Secret[] {
  return references.flatMap((reference) => secrets.filter((secret) => secret.reference === reference));
}
