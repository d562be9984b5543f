/** What a use of the action notes of its role, for the steps that reach EC2 hosts: how to get its session anew. Pure. */
import type { Role } from '../aws/caller.ts';

/** No secrets: of the trust in the job only GitHub's token is one, and each step asks for its own. */
export interface JobRole {
  readonly role: Role;
  /** In order of preference: EC2 hosts are in the first. None: the step's own. */
  readonly regions: readonly string[];
  /** What the environment named when the action ran; empty: none. A step that names another goes there. */
  readonly environmentRegion: string;
  readonly allowedAccounts: readonly string[];
  readonly maxAttempts: number;
  readonly timeoutSeconds: number;
}

/** The file's name in the job's folder. */
export const jobRoleFile = 'role';

export function renderJobRole({
  role,
  regions,
  environmentRegion,
  allowedAccounts,
  maxAttempts,
  timeoutSeconds,
}: JobRole): string {
  const { arn, through, sessionName, durationSeconds, audience, externalId, policy } = role;
  const noted = { arn, through, sessionName, durationSeconds, audience, externalId, policy };
  const settings = { regions, environmentRegion, allowedAccounts, maxAttempts, timeoutSeconds };
  return `${JSON.stringify({ role: noted, ...settings })}\n`;
}

/** As people export it: a line end behind a Region is no part of it. Empty: none. */
export function environmentRegion(env: Readonly<Record<string, string | undefined>>): string {
  return env['AWS_REGION']?.trim() || env['AWS_DEFAULT_REGION']?.trim() || '';
}

/** undefined for what renderJobRole did not write. */
export function readJobRole(text: string): JobRole | undefined {
  try {
    const { role, ...noted } = JSON.parse(text) as JobRole;
    const { audience, externalId, ...rest } = role;
    return { role: { audience, externalId, ...rest }, ...noted };
  } catch {
    return undefined;
  }
}
