/** The Region, roles and time limits of AWS calls on a host, outside of a job. */
import { hostCredentialsHint, hostExpiredHint } from '../aws/credentials-hint.ts';
import { profileRegion } from '../aws/region.ts';
import { environmentRegion } from './job-role.ts';
import type { ReadOptions, Wanted } from './call-aws.ts';

export interface Host {
  /** undefined: the Region of the key's ARN, AWS_REGION, the profile's Region, or the machine's. */
  readonly region: string | undefined;
  /** ARNs, each assumed with the one before; the first with the default credential chain. Empty: only the default chain. */
  readonly roles: readonly string[];
  readonly timeoutSeconds: number;
}

export type HostCaller = Pick<
  Wanted,
  'regions' | 'role' | 'maxAttempts' | 'throttledAttempts' | 'timeoutSeconds'
> &
  Pick<ReadOptions, 'missing'>;

/** The name that CloudTrail shows for the session of a role. */
const sessionName = 'ssm-ssh';
/** Seconds, the minimum of STS. The session is used at once and then dropped. */
const sessionDuration = 900;
const maxAttempts = 3;
/** More than fit into any timeout: a host waits for its turn until its time is over. */
const throttledAttempts = 100;

export async function callerOnHost(
  { region, roles, timeoutSeconds }: Host,
  env: ReadOptions['env'],
): Promise<HostCaller> {
  const known = region ?? (environmentRegion(env) || (await profileRegion()));
  return {
    regions: known ? [known] : [],
    role: roleOf(roles),
    ...{ maxAttempts, throttledAttempts, timeoutSeconds },
    missing: {
      region:
        "set ssm.region in git's configuration, SSM_SSH_REGION or AWS_REGION, or write the ARN of the key",
      credentials: hostCredentialsHint(env),
      expired: hostExpiredHint(env),
    },
  };
}

function roleOf(roles: readonly string[]): Wanted['role'] {
  const arn = roles.at(-1);
  if (arn === undefined) return undefined;
  return {
    ...{ arn, through: roles.slice(0, -1), sessionName, durationSeconds: sessionDuration },
    ...{ audience: undefined, externalId: undefined, policy: 'none' },
  };
}
