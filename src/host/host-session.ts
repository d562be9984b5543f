/** A host's session in one Region, with the machine's credentials. Importing this file loads the AWS SDK, but no client of it. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Caller, Credentials, Role } from '../aws/caller.ts';
import { refreshing, unkept } from '../aws/refreshing-credentials.ts';
import type { Renewable } from '../aws/renewing.ts';
import { openSessions } from '../aws/session.ts';
import type { Reference } from '../keys/reference.ts';
import { callerOnHost, type Host } from './caller.ts';
import { areFixed, callerOf, explained, regionFor, warnOfProxy, type ReadOptions } from './call-aws.ts';

export interface HostSession {
  readonly caller: Caller;
  /** Where a client of the AWS SDK asks, and as whom. */
  readonly place: Renewable & {
    readonly connection: Caller['connection'];
    readonly region: string;
    readonly credentials: AwsCredentialIdentityProvider;
  };
  /** Returns the error to throw instead. */
  readonly explain: (error: unknown) => unknown;
}

/**
 * In the first Region only: where something is written is a choice, and not a matter of who answers.
 *
 * The calls throw the errors of the default credential chain: the chain is first asked there.
 *
 * @param asked what is read or written; empty for what has no ARN
 * @throws the errors of assuming the roles; REGION_MISSING
 */
export async function openHostSession(
  host: Host,
  options: Omit<ReadOptions, 'missing'>,
  asked: readonly Pick<Reference, 'location'>[] = [],
): Promise<HostSession> {
  const { missing, role, ...wanted } = await callerOnHost(host, options.env, asked);
  warnOfProxy(options);
  const search = { ...wanted, ...options, hint: missing.region };
  const region = asked[0]?.location?.region ?? wanted.regions[0] ?? (await regionFor([], search));
  const caller = callerOf({ ...wanted, regions: [region] }, options);
  const { connection } = caller;
  const { env } = options;
  const open = role && (() => sessionOf(role, caller));
  const held = open ? refreshing(await open(), open, { clock: Date.now }) : connection.credentials;
  const credentials = unkept(held);
  const forget = !role && areFixed(undefined, env) ? undefined : held.forget;
  return {
    caller,
    place: { connection, region, credentials, forget },
    explain: (error) => explained(connection.troubles.explain(error), { role, env }, missing),
  };
}

async function sessionOf(role: Role, caller: Caller): Promise<Credentials> {
  const [session] = (await openSessions([], role, caller)).answer;
  if (!session?.credentials) throw new TypeError('the session of a role has no credentials');
  return session.credentials;
}
