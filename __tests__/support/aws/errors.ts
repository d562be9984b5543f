/** What AWS refuses with. The protocol layer gives it a body: JSON for SSM, XML for STS. */

export interface AwsErrorFields {
  readonly code: string;
  readonly message: string;
  /** HTTP status; 400 unless told. */
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

/** The wording of AWS's common model validation, shared by its services. */
export function constraintMessage(field: string, value: string, constraint: string): string {
  return `1 validation error detected: Value '${value}' at '${field}' failed to satisfy constraint: ${constraint}`;
}

/** The reasons for which a request has no caller; SSM and STS call them by different names. */
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
