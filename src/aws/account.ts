/** Checks the account of the credentials before anything is read with them. */
import { Failure } from '../errors.ts';
import { inTurn, type Turn } from './failover.ts';
import { awsFailure, notFromAws } from './failures.ts';
import type { Caller, Role } from './caller.ts';

/**
 * The ARN of a role names its account. For other credentials AWS is asked.
 *
 * @param allowed account ids; empty: all accounts are allowed
 * @returns the Regions to ask next
 * @throws ACCOUNT_NOT_ALLOWED
 */
export async function checkAccount(
  allowed: readonly string[],
  role: Role | undefined,
  caller: Caller,
): Promise<readonly string[]> {
  if (allowed.length === 0) return caller.regions;
  if (role) {
    checkAllowed(allowed, role.arn.split(':')[4] ?? '', `the role ${role.arn}`);
    return caller.regions;
  }
  const { answer, regions } = await inTurn((turn) => callerAccount(turn, caller), caller);
  checkAllowed(allowed, answer.account, answer.arn);
  return regions;
}

/** @throws ACCOUNT_NOT_ALLOWED */
export function checkAllowed(allowed: readonly string[], account: string, who: string): void {
  if (allowed.includes(account)) return;
  throw new Failure(
    'ACCOUNT_NOT_ALLOWED',
    `${who} belongs to the account ${account}, and allowed-account-ids names ${allowed.join(', ')}`,
    { hint: `use credentials of another account, or add ${account} to allowed-account-ids` },
  );
}

export interface Identity {
  readonly account: string;
  readonly arn: string;
}

/** Asks AWS STS whose credentials the connection has. It needs no permission. */
export async function callerAccount(
  { region, signal }: Pick<Turn, 'region' | 'signal'>,
  { connection }: Pick<Caller, 'connection'>,
): Promise<Identity> {
  const attempted = { service: 'sts', region, resource: 'sts:GetCallerIdentity' };
  const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const client = new STSClient({ region, ...connection });
  try {
    const command = new GetCallerIdentityCommand({});
    const { Account: account, Arn: arn } = await client.send(command, { abortSignal: signal });
    if (account && arn) return { account, arn };
  } catch (error) {
    signal.throwIfAborted();
    throw awsFailure(error, attempted);
  }
  throw notFromAws(attempted);
}
