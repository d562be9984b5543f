/** As whom a host asks AWS, where no job says it. */
import { hostCredentialsHint, hostExpiredHint } from '../aws/credentials-hint.ts';
import { profileRegion } from '../aws/region.ts';
import { environmentRegion } from './job-role.ts';
import type { ReadOptions, Wanted } from './read-secrets.ts';

export interface Host {
  /** None: the keys' own, AWS_REGION, the profile's, or the machine's. */
  readonly region: string | undefined;
  /** ARNs, assumed one from the other; the first with what the default credential chain finds. None: that alone. */
  readonly roles: readonly string[];
  readonly timeoutSeconds: number;
}

export type HostCaller = Pick<Wanted, 'regions' | 'role' | 'maxAttempts' | 'timeoutSeconds'> &
  Pick<ReadOptions, 'missing'>;

/** The name that CloudTrail shows for the session of a role. */
const sessionName = 'ssm-ssh';
/** Seconds; the least that there is. The session is used at once, and thrown away. */
const sessionDuration = 900;
const maxAttempts = 3;

export async function callerOnHost(
  { region, roles, timeoutSeconds }: Host,
  env: ReadOptions['env'],
): Promise<HostCaller> {
  const known = region ?? (environmentRegion(env) || (await profileRegion()));
  return {
    regions: known ? [known] : [],
    role: roleOf(roles),
    ...{ maxAttempts, timeoutSeconds },
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
