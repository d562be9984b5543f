/** The settings of a host, as they are written → where AWS is asked, as whom, and for how long. */
import type { HostSettings } from '../../src/host/settings.ts';
import { parseRegion, parseRoles } from './settings.ts';
import { readTimeLimit } from './time-limit.ts';

/** Seconds, at least 1. */
export interface HostPlace {
  readonly region: string | undefined;
  readonly roles: readonly string[];
  readonly timeoutSeconds: number;
}

/** @throws INPUT_INVALID */
export function parseHostPlace({ region, roles, timeout }: Omit<HostSettings, 'via'>): HostPlace {
  return {
    region: parseRegion(region, 'ssm.region (SSM_SSH_REGION)'),
    roles: parseRoles(roles, 'ssm.roleArn (SSM_SSH_ROLE_ARN)'),
    timeoutSeconds: readTimeLimit(timeout, 'ssm.timeout (SSM_SSH_TIMEOUT)'),
  };
}
