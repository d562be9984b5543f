/** The Region, roles and time limits of AWS calls on a host, outside of a job. */
import { hostCredentialsHint, hostExpiredHint } from '../aws/credentials-hint.ts';
import { profileRegion } from '../aws/region.ts';
import type { Reference } from '../keys/reference.ts';
import { parseRegion } from '../keys/region-name.ts';
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

/**
 * @param references what AWS is asked for. If all are ARNs, the environment needs no Region: a variable may have that of
 *   another service (`auto`), or of another partition
 * @throws INPUT_INVALID if the Region of the environment or of the profile is needed, and is none
 */
export async function callerOnHost(
  { region, roles, timeoutSeconds }: Host,
  env: ReadOptions['env'],
  references: readonly Pick<Reference, 'location'>[],
): Promise<HostCaller> {
  const named = references.every(({ location }) => location) ? references[0]?.location?.region : undefined;
  const known = region ?? named ?? environmentRegionOf(env) ?? (await regionOfProfile());
  return {
    regions: known ? [known] : [],
    role: roleOnHost(roles),
    ...{ maxAttempts, throttledAttempts, timeoutSeconds },
    missing: missingOnHost(env),
  };
}

/** What to do where the Region or the credentials are missing. */
export function missingOnHost(env: ReadOptions['env']): ReadOptions['missing'] {
  return {
    region:
      "set ssm.region in git's configuration, SSM_SSH_REGION or AWS_REGION, or write the ARN of the key",
    credentials: hostCredentialsHint(env),
    expired: hostExpiredHint(env),
  };
}

function environmentRegionOf(env: ReadOptions['env']): string | undefined {
  const text = environmentRegion(env);
  const name = env['AWS_REGION']?.trim() ? 'AWS_REGION' : 'AWS_DEFAULT_REGION';
  return text === '' ? undefined : parseRegion(text, name);
}

async function regionOfProfile(): Promise<string | undefined> {
  const text = await profileRegion();
  return text === undefined ? undefined : parseRegion(text, 'region in the AWS configuration');
}

export function roleOnHost(roles: readonly string[]): Wanted['role'] {
  const arn = roles.at(-1);
  if (arn === undefined) return undefined;
  return {
    ...{ arn, through: roles.slice(0, -1), sessionName, durationSeconds: sessionDuration },
    ...{ audience: undefined, externalId: undefined, policy: 'none' },
  };
}
