/** The awsJson1_1 protocol of Systems Manager (Smithy: aws.protocols#awsJson1_1). */
import { randomUUID } from 'node:crypto';

import { AuthenticationError, AwsError, type AuthenticationReason } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from './http-server.ts';
import type { CommonError } from './service.ts';

export type JsonRecord = Readonly<Record<string, unknown>>;

const AUTHENTICATION_CODES: Readonly<Record<AuthenticationReason, string>> = {
  'missing-token': 'MissingAuthenticationTokenException',
  'incomplete-signature': 'IncompleteSignatureException',
  'invalid-token': 'UnrecognizedClientException',
  'expired-token': 'ExpiredTokenException',
  'invalid-signature': 'InvalidSignatureException',
};

/** `X-Amz-Target: AmazonSSM.GetParameter` → `GetParameter`. */
export function jsonOperation({ headers }: HttpRequest, target: string): string | undefined {
  const value = headers['x-amz-target'];
  return typeof value === 'string' && value.startsWith(`${target}.`)
    ? value.slice(target.length + 1)
    : undefined;
}

/** The request's members; empty if the body is not a JSON object, which `requireJson` refuses. */
export function jsonMembers({ body }: HttpRequest): JsonRecord | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

export function jsonAnswer(result: JsonRecord): HttpAnswer {
  return { status: 200, headers: jsonHeaders(), body: JSON.stringify(result) };
}

export function jsonRefusal(error: AwsError | AuthenticationError): { code: string; answer: HttpAnswer } {
  const authentication = error instanceof AuthenticationError;
  const code = authentication ? AUTHENTICATION_CODES[error.reason] : error.code;
  // SSM omits the message of ParameterNotFound.
  const body = { __type: code, ...(error.message !== '' && { message: error.message }) };
  return {
    code,
    answer: {
      status: authentication ? 400 : error.status,
      headers: { ...jsonHeaders(), 'x-amzn-errortype': code },
      body: JSON.stringify(body),
    },
  };
}

export function jsonCommonError(kind: CommonError): AwsError {
  if (kind === 'throttling') return new AwsError({ code: 'ThrottlingException', message: 'Rate exceeded' });
  return kind === 'internal-error'
    ? new AwsError({
        code: 'InternalServerError',
        message: 'An error occurred on the server side.',
        status: 500,
      })
    : new AwsError({
        code: 'ServiceUnavailableException',
        message: 'The service is temporarily unavailable.',
        status: 503,
      });
}

function jsonHeaders(): Record<string, string> {
  return { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() };
}
