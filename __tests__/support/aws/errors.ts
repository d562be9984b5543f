/** AWS errors. The protocol layer renders them: JSON for SSM, XML for STS. */

export interface AwsErrorFields {
  readonly code: string;
  readonly message: string;
  /** HTTP status. Default: 400. */
  readonly status?: number;
}

export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor({ code, message, status = 400 }: AwsErrorFields) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
  }
}

/** The message of AWS's common model validation, used by several services. */
export function constraintMessage(field: string, value: string, constraint: string): string {
  return `1 validation error detected: Value '${value}' at '${field}' failed to satisfy constraint: ${constraint}`;
}

/** Reasons why a request has no valid caller. SSM and STS name them differently. */
export type AuthenticationReason =
  'missing-token' | 'incomplete-signature' | 'invalid-token' | 'expired-token' | 'invalid-signature';

export class AuthenticationError extends Error {
  readonly reason: AuthenticationReason;

  constructor(reason: AuthenticationReason, message: string) {
    super(message);
    this.name = 'AuthenticationError';
    this.reason = reason;
  }
}
