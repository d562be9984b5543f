/** Credentials that the environment of a step has already, for `use-existing-credentials`. */
import { callerAccount, checkAllowed, type Identity } from '../aws/account.ts';
import { inTurn, isUnreachable } from '../aws/failover.ts';
import { abortable } from '../deadline.ts';
import { Failure } from '../errors.ts';
import { callerOf, type ReadOptions, type Wanted } from './call-aws.ts';

type Asked = Pick<Wanted, 'allowedAccounts' | 'maxAttempts' | 'regions' | 'timeoutSeconds'>;

/**
 * Asks AWS whose credentials the default credential chain finds. On a runner of GitHub's the role of the machine is not
 * among them: it could only be somebody else's.
 *
 * @param asked with one region at least
 * @returns undefined where there are none that AWS accepts
 * @throws ACCOUNT_NOT_ALLOWED, and what it throws where AWS cannot be reached
 */
export async function existingIdentity(
  { allowedAccounts, ...asked }: Asked,
  options: Omit<ReadOptions, 'missing'>,
): Promise<Identity | undefined> {
  const { signal, voice } = options;
  const isOwn = options.env['RUNNER_ENVIRONMENT'] === 'self-hosted';
  const env = isOwn ? options.env : { ...options.env, AWS_EC2_METADATA_DISABLED: 'true' };
  const caller = callerOf(asked, { ...options, env });
  try {
    const work = inTurn((turn) => callerAccount(turn, caller), caller);
    const { answer } = await abortable(work, signal);
    voice.info(`use-existing-credentials: no role is assumed, the credentials are those of ${answer.arn}`);
    if (allowedAccounts.length > 0) checkAllowed(allowedAccounts, answer.account, answer.arn);
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure) || error.code === 'ACCOUNT_NOT_ALLOWED' || isUnreachable(error)) {
      throw caller.connection.troubles.explain(error);
    }
    voice.info(`use-existing-credentials: the role is assumed (${error.message})`);
    return undefined;
  }
}
