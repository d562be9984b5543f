/** What IAM refuses about EC2 hosts → the policy statement that allows it. */
import { readAwsError } from '../aws/failures.ts';

export interface Statement {
  readonly Effect: 'Allow';
  readonly Action: string;
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** EC2 says UnauthorizedOperation, the others AccessDenied or AccessDeniedException. */
export function isDenied(error: unknown): boolean {
  return /^(AccessDenied|UnauthorizedOperation)/.test(readAwsError(error).name);
}

/** @param message AWS's, which says what kind of policy did not allow it */
export function denialHint(message: string, statement: Omit<Statement, 'Effect'>): string {
  const [, denier] = /explicit deny in (?:an? )?(.*)/.exec(message) ?? [];
  if (denier) return `no Allow outweighs an explicit deny: ask whoever keeps the ${denier}`;
  const kind = message.includes('session policy') ? 'the session policy' : "the role's policy";
  return `add to ${kind}: ${JSON.stringify({ Effect: 'Allow', ...statement })}`;
}

/** The account of whoever was refused, from AWS's message. */
export function accountIn(message: string): string {
  return /arn:aws[a-z-]*:(?:sts|iam)::(\d{12}):/.exec(message)?.[1] ?? 'ACCOUNT';
}
