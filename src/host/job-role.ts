/** The action's role, as noted for later steps that reach EC2 hosts: they open its session again. Pure. */
import type { Role } from '../aws/caller.ts';

/** Holds no secrets: it has the path of a token file, and each step asks GitHub for its own token. */
export interface JobRole {
  readonly role: Role;
  /** Whether valid credentials in the environment of a step are used instead of the role. */
  readonly useExisting?: boolean;
  /** In order of preference. EC2 hosts are in the first. Empty: the step's own Region. */
  readonly regions: readonly string[];
  /** The Region in the environment when the action ran; empty: none. A step that sets another Region uses that one. */
  readonly environmentRegion: string;
  readonly allowedAccounts: readonly string[];
  readonly maxAttempts: number;
  readonly timeoutSeconds: number;
}

/** The file's name in the job's folder. */
export const jobRoleFile = 'role';

export function renderJobRole({
  role,
  useExisting,
  regions,
  environmentRegion,
  allowedAccounts,
  maxAttempts,
  timeoutSeconds,
}: JobRole): string {
  const { arn, through, sessionName, durationSeconds, audience, externalId, policy } = role;
  const { tokenFile, skipsOidc, managedPolicies, tags } = role;
  const noted = {
    ...{ arn, through, sessionName, durationSeconds, audience, externalId, policy },
    ...{ tokenFile, skipsOidc, managedPolicies, tags },
  };
  const settings = { regions, environmentRegion, allowedAccounts, maxAttempts, timeoutSeconds };
  return `${JSON.stringify({ role: noted, ...(useExisting && { useExisting }), ...settings })}\n`;
}

/** Trimmed, because exported values may end in a line end. Empty: none. */
export function environmentRegion(env: Readonly<Record<string, string | undefined>>): string {
  return env['AWS_REGION']?.trim() || env['AWS_DEFAULT_REGION']?.trim() || '';
}

/** @returns undefined for text that renderJobRole did not write */
export function readJobRole(text: string): JobRole | undefined {
  try {
    const { role, ...noted } = JSON.parse(text) as JobRole;
    const { audience, externalId, ...rest } = role;
    return { role: { audience, externalId, ...rest }, ...noted };
  } catch {
    return undefined;
  }
}
