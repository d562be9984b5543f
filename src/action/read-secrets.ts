/** The AWS half of loading keys: who we are, then what is stored. All that the AWS SDK weighs hangs on this file. */
import { setTimeout } from 'node:timers/promises';
import { checkAccount } from '../aws/account.ts';
import { ignoresProxy, openConnection } from '../aws/connection.ts';
import { credentialsHint } from '../aws/credentials-hint.ts';
import { inTurn } from '../aws/failover.ts';
import { instanceRegion } from '../aws/region.ts';
import { openSessions, type Caller, type Session } from '../aws/session.ts';
import { Failure } from '../errors.ts';
import { referencesOf } from '../keys/key-line.ts';
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

/** What is stored at every reference of the inputs, in their order. */
export async function readSecrets(inputs: Inputs, options: ReadOptions): Promise<Secret[]> {
  const { env, workflow } = options;
  const references = referencesOf(inputs.keys);
  if (references.length === 0) {
    await checkAccount(inputs.allowedAccounts, inputs.role, callerOf(inputs, options));
    return [];
  }
  const regions = inputs.regions.length > 0 ? inputs.regions : [await otherRegion(references)];
  const caller = callerOf({ ...inputs, regions }, options);
  if (ignoresProxy(env, process.versions.node)) {
    workflow.warn(
      `the proxy is not used: this runner's Node ${process.versions.node} knows no HTTPS_PROXY, 24.5 does`,
    );
  }
  try {
    const known = await checkAccount(inputs.allowedAccounts, inputs.role, caller);
    const opened = await openSessions(references, inputs.role, { ...caller, regions: known });
    workflow.info(
      `reading ${inputs.keys.length === 1 ? 'a key' : `${inputs.keys.length} keys`} from ${storesOf(references)}`,
    );
    return inOrder(references, await readAll(opened.answer, { ...caller, regions: opened.regions }));
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'CREDENTIALS_MISSING' || inputs.role) throw error;
    throw new Failure(error.code, error.message, { hint: credentialsHint(env), cause: error });
  }
}

function callerOf(inputs: Inputs, { env, signal, workflow }: ReadOptions): Caller {
  const { regions, maxAttempts, timeoutSeconds } = inputs;
  return {
    ...{ env, signal, regions, share: (timeoutSeconds * 1000) / (regions.length + 1) },
    connection: openConnection({ env, maxAttempts }),
    sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }),
    mask: (secret) => {
      workflow.mask(secret);
    },
    say: (line) => {
      workflow.info(line);
    },
    warn: (message) => {
      workflow.warn(message);
    },
  };
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

/** A reference that is an ARN stays in its region, whatever becomes of the others. */
async function readAll(sessions: readonly Session[], caller: Caller): Promise<Secret[]> {
  const { connection, regions, signal } = caller;
  const [region = ''] = regions;
  if (regions.length === 1) return await readEach(sessions, { connection, region, signal });
  const exact = parts(sessions, ({ location }) => location !== undefined);
  const named = parts(sessions, ({ location }) => location === undefined);
  const [secrets, { answer }] = await Promise.all([
    readEach(exact, { connection, region, signal }),
    inTurn((turn) => readEach(named, { connection, ...turn }), caller),
  ]);
  return [...secrets, ...answer];
}

function parts(sessions: readonly Session[], wanted: (reference: Reference) => boolean): Session[] {
  return sessions.map((session) => ({ ...session, references: session.references.filter(wanted) }));
}

type Place = Pick<Caller, 'connection' | 'signal'> & { readonly region: string };

async function readEach(sessions: readonly Session[], place: Place): Promise<Secret[]> {
  return (await Promise.all(sessions.map((session) => read(session, place)))).flat();
}

async function read({ references, credentials }: Session, place: Place): Promise<Secret[]> {
  return await readReferences(references, { ...place, ...(credentials && { credentials }) });
}

function inOrder(references: readonly Reference[], secrets: readonly Secret[]): Secret[] {
  return references.flatMap((reference) => secrets.filter((secret) => secret.reference === reference));
}
