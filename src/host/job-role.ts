/** What a use of the action notes of its role, for the steps that reach EC2 hosts: how to get its session anew. Pure. */
import type { Role } from '../aws/caller.ts';

/** No secrets: of the trust in the job only GitHub's token is one, and each step asks for its own. */
export interface JobRole {
  readonly role: Role;
  /** In order of preference: EC2 hosts are in the first. None: the step's own. */
  readonly regions: readonly string[];
  readonly allowedAccounts: readonly string[];
  readonly maxAttempts: number;
  readonly timeoutSeconds: number;
}

/** The file's name in the job's folder. */
export const jobRoleFile = 'role';

export function renderJobRole({
  role,
  regions,
  allowedAccounts,
  maxAttempts,
  timeoutSeconds,
}: JobRole): string {
  const { arn, through, sessionName, durationSeconds, audience, externalId, policy } = role;
  const noted = { arn, through, sessionName, durationSeconds, audience, externalId, policy };
  return `${JSON.stringify({ role: noted, regions, allowedAccounts, maxAttempts, timeoutSeconds })}\n`;
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
