/** Opens AWS sessions and reads secrets. Importing this file loads the AWS SDK. */
import { checkAccount } from '../aws/account.ts';
import { ec2SessionPolicy } from '../aws/ec2-session-policy.ts';
import { inTurn } from '../aws/failover.ts';
import { openSession, openSessions, type Session } from '../aws/session.ts';
import type { Caller, Role } from '../aws/caller.ts';
import { abortable } from '../deadline.ts';
import { referencesOf } from '../keys/key-line.ts';
import type { Reference } from '../keys/reference.ts';
import { readReferences, storesOf } from '../secrets/read.ts';
import type { Secret } from '../secrets/source.ts';
import {
  callerOf,
  explained,
  regionsOf,
  retryIfExpired,
  warnOfProxy,
  type ReadOptions,
  type Wanted,
} from './call-aws.ts';

/**
 * @returns the secret of each reference of the keys, in the order of the references
 * @throws the signal's reason as soon as it is aborted, with the call that took the time
 */
export async function readSecrets(wanted: Wanted, options: ReadOptions): Promise<Secret[]> {
  const { env, voice } = options;
  warnOfProxy(options);
  return await retryIfExpired({ role: wanted.role, env, voice }, () => readOnce(wanted, options));
}

async function readOnce(wanted: Wanted, options: ReadOptions): Promise<Secret[]> {
  const { env, signal, voice, missing } = options;
  const references = referencesOf(wanted.keys);
  const regions = await regionsOf(wanted, options);
  const caller = callerOf({ ...wanted, regions }, options);
  const read = async (): Promise<Secret[]> => {
    const known = await checkAccount(wanted.allowedAccounts, wanted.role, caller);
    if (references.length === 0) return await tryRole(wanted.role, { ...caller, regions: known });
    const opened = await openSessions(references, wanted.role, { ...caller, regions: known });
    voice.info(
      `reading ${wanted.keys.length === 1 ? 'a key' : `${wanted.keys.length} keys`} from ${storesOf(references)}`,
    );
    return inOrder(references, await readAll(opened.answer, { ...caller, regions: opened.regions }));
  };
  try {
    // The AWS SDK cannot abort everything that it waits for.
    return await abortable(read(), signal);
  } catch (error) {
    throw explained(caller.connection.troubles.explain(error), { ...wanted, env }, missing);
  }
}

/** Without keys, the role is for EC2 hosts. Assuming it now shows an error in this step, and not in a later one. */
async function tryRole(role: Role | undefined, caller: Caller): Promise<[]> {
  const [region = ''] = caller.regions;
  if (role) await openSession(role, ec2SessionPolicy({}, { ...role, region }), caller);
  return [];
}

/** A reference that is an ARN is only read in its own Region; the other references move to the next Region on failure. */
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
