/** The way to sign with keys in KMS for a long time: credentials that are asked for again before they end. Importing this file loads the AWS SDK. */
import { checkAccount } from '../aws/account.ts';
import type { Credentials, Role } from '../aws/caller.ts';
import type { Connection } from '../aws/connection.ts';
import type { Regions } from '../aws/failover.ts';
import { refreshing, unkept } from '../aws/refreshing-credentials.ts';
import { homeOf, openSession } from '../aws/session.ts';
import { signingPolicy } from '../aws/session-policy.ts';
import { abortable, tookTooLong, withDeadline } from '../deadline.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import type { KmsPlace } from '../kms/kms-client.ts';
import type { FrontWanted } from './front-order.ts';
import {
  areFixed,
  callerOf,
  explained,
  regionFor,
  retryIfExpired,
  warnOfProxy,
  type ReadOptions,
} from './call-aws.ts';

export interface SigningAccess {
  readonly place: Omit<KmsPlace, 'region'>;
  readonly regions: Regions;
  /** Does a call, and explains its failure by what is known of the credentials. */
  readonly explain: <T>(call: () => Promise<T>) => Promise<T>;
}

export interface AccessOptions extends ReadOptions {
  /** Ends what is done later: renewals. */
  readonly ended: AbortSignal;
  /** What the session may do. Default: what a login needs. */
  readonly actions?: readonly string[];
}

/** @throws REGION_MISSING, ACCOUNT_NOT_ALLOWED, and the errors of assuming the role */
export async function signingAccess(
  references: readonly KmsReference[],
  { role, ...wanted }: FrontWanted,
  { ended, actions, ...options }: AccessOptions,
): Promise<SigningAccess> {
  const { env, signal, voice, missing } = options;
  warnOfProxy(options);
  const regions = await regionsFor(references, wanted, options);
  // Its signal ends with the agent, and not with this call.
  const lasting = callerOf({ ...wanted, regions }, { env, signal: ended, voice });
  const { connection } = lasting;
  const explain = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await abortable(call(), signal);
    } catch (error) {
      throw explained(connection.troubles.explain(error), { role: role ?? undefined, env }, missing);
    }
  };
  const within = { ...lasting, signal };
  if (!role) {
    await explain(() => checkAccount(wanted.allowedAccounts, undefined, within));
    return { place: placeOnMachine(connection, env), regions: within, explain };
  }
  const open = openerOf(role, references, { ...lasting, wanted, voice, actions });
  const first = await explain(() => open());
  const held = refreshing(first, open, { clock: Date.now });
  const credentials = unkept(held);
  return { place: { connection, credentials, forget: held.forget }, regions: within, explain };
}

function placeOnMachine(connection: Connection, env: ReadOptions['env']): SigningAccess['place'] {
  if (areFixed(undefined, env)) return { connection };
  const { credentials } = connection;
  return { connection, credentials: unkept(credentials), forget: credentials.forget };
}

/** An ARN has its own Region. */
async function regionsFor(
  references: readonly KmsReference[],
  wanted: Omit<FrontWanted, 'role'>,
  { env, signal, missing }: ReadOptions,
): Promise<readonly string[]> {
  if (wanted.regions.length > 0) return wanted.regions;
  const own = references.flatMap(({ location }) => location?.region ?? []);
  if (own.length === references.length) return own.slice(0, 1);
  const search = { env, signal, hint: missing.region, ...wanted };
  return [await abortable(regionFor([], search), signal)];
}

type Opener = ReturnType<typeof callerOf> & {
  readonly wanted: Omit<FrontWanted, 'role'>;
  readonly voice: ReadOptions['voice'];
  readonly actions: readonly string[] | undefined;
};

function openerOf(
  role: Role,
  references: readonly KmsReference[],
  { wanted, voice, actions, ...caller }: Opener,
): () => Promise<Credentials> {
  const [region = ''] = caller.regions;
  const home = homeOf(role, { region, regions: caller.regions });
  const policy = signingPolicy(references, home, actions);
  const { timeoutSeconds } = wanted;
  const hint = 'check that this machine reaches AWS STS';
  const once = async (): Promise<Credentials> =>
    await withDeadline(
      {
        milliseconds: timeoutSeconds * 1000,
        reason: tookTooLong(`assuming ${role.arn}`, timeoutSeconds, hint),
        signal: caller.signal,
      },
      async (signal) => {
        const known = await checkAccount(wanted.allowedAccounts, role, { ...caller, signal });
        return (await openSession(role, policy, { ...caller, signal, regions: known })).answer;
      },
    );
  const { forget } = caller.connection.credentials;
  return () => retryIfExpired({ role, env: caller.env, voice, forget }, once);
}
