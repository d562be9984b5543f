/** The settings of a host as text → the region, the roles and the time limit for AWS. */
import { abortAfter, tookTooLong } from '../../src/deadline.ts';
import { Failure } from '../../src/errors.ts';
import type { HostSettings } from '../../src/host/settings.ts';
import { parseCacheAddress } from '../../src/secrets/cache-address.ts';
import { parseLifetime } from '../../src/keys/lifetime.ts';
import { parseRegion, parseRoles } from './account.ts';

/** Seconds, at least 1. */
export interface HostPlace {
  readonly region: string | undefined;
  readonly roles: readonly string[];
  readonly timeoutSeconds: number;
  /** A cache on this machine that is asked instead of AWS. */
  readonly cache?: URL;
}

/** What reads no stored value has no `cache`. */
type Written = Pick<HostSettings, 'region' | 'roles' | 'timeout'> & Partial<Pick<HostSettings, 'cache'>>;

/** @throws INPUT_INVALID */
export function parseHostPlace({ region, roles, timeout, cache }: Written): HostPlace {
  return {
    region: parseRegion(region, 'ssm.region (SSM_SSH_REGION)'),
    roles: parseRoles(roles, 'ssm.roleArn (SSM_SSH_ROLE_ARN)'),
    timeoutSeconds: readTimeLimit(timeout, 'ssm.timeout (SSM_SSH_TIMEOUT)'),
    ...(cache !== undefined && { cache: parseCacheAddress(cache, 'ssm.cache (SSM_SSH_CACHE)') }),
  };
}

/**
 * @param what takes the time
 * @returns a signal that is aborted with TIMEOUT
 */
export function timeLimit(seconds: number, what: string): AbortSignal {
  const controller = new AbortController();
  const hint = 'check the network of this machine, or raise ssm.timeout (SSM_SSH_TIMEOUT)';
  abortAfter(seconds * 1000, controller, tookTooLong(what, seconds, hint)).unref();
  return controller.signal;
}

/** Seconds. setTimeout treats a longer time as 1 millisecond. */
export const longestTimer = 2_147_483;

/**
 * @returns at least 1
 * @throws INPUT_INVALID
 */
export function readTimeLimit(duration: string, setting: string): number {
  return Math.min(longestTimer, Math.max(1, readSeconds(duration, setting)));
}

/**
 * @param setting its name in the message
 * @throws INPUT_INVALID
 */
export function readSeconds(duration: string, setting: string): number {
  const parsed = parseLifetime(duration);
  if (parsed !== undefined) return parsed;
  throw new Failure('INPUT_INVALID', `${setting} is not a duration: "${duration}"`, {
    hint: 'write 90s, 15m, 1h, or a number of seconds',
  });
}
