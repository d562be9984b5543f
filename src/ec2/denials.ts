/** Converts IAM's refusals about EC2 hosts to the policy statement that allows the call. */
import { readAwsError } from '../aws/failures.ts';

export interface Statement {
  readonly Effect: 'Allow';
  readonly Action: string;
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** EC2 uses UnauthorizedOperation; other services use AccessDenied or AccessDeniedException. */
export function isDenied(error: unknown): boolean {
  return /^(AccessDenied|UnauthorizedOperation)/.test(readAwsError(error).name);
}

/** @param message AWS's message, which names the kind of policy */
export function denialHint(message: string, statement: Omit<Statement, 'Effect'>): string {
  const [, denier] = /explicit deny in (?:an? )?(.*)/.exec(message) ?? [];
  if (denier) return `an Allow does not override an explicit deny: ask the owner of the ${denier}`;
  const kind = message.includes('session policy') ? 'the session policy' : "the role's policy";
  return `add to ${kind}: ${JSON.stringify({ Effect: 'Allow', ...statement })}`;
}

/** The account of the refused caller, from AWS's message. */
export function accountIn(message: string): string {
  return /arn:aws[a-z-]*:(?:sts|iam)::(\d{12}):/.exec(message)?.[1] ?? 'ACCOUNT';
}
